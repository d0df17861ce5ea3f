CREATE TABLE public.ticks (gone int, time timestamptz NOT NULL, symbol varchar, late int, price float8);
SELECT create_hypertable('public.ticks', 'time', chunk_time_interval => interval '1 day');
CREATE INDEX ix_dear ON public.ticks (time) WHERE price > 50 AND symbol IS NOT NULL;
CREATE INDEX ix_cheap ON public.ticks (time) WHERE price < 5;
CREATE INDEX ix_symbol ON public.ticks (symbol, time DESC);
CREATE INDEX ix_later ON public.ticks (price);
INSERT INTO public.ticks (time, symbol, price)
SELECT timestamptz '2026-01-01 00:00:00+00' + g * interval '1 hour', 's' || g % 3, g FROM generate_series(0, 47) AS g;
ALTER TABLE public.ticks DROP COLUMN late;
INSERT INTO public.ticks (time, symbol, price)
SELECT timestamptz '2026-01-03 00:00:00+00' + g * interval '1 hour', 's' || g % 3, g FROM generate_series(0, 23) AS g;
ALTER TABLE public.ticks DROP COLUMN gone;
INSERT INTO public.ticks (time, symbol, price)
SELECT timestamptz '2026-01-04 00:00:00+00' + g * interval '1 hour', 's' || g % 3, g FROM generate_series(0, 23) AS g;
ALTER TABLE public.ticks RENAME COLUMN price TO "Price";
-- Built by hand, under a name of its own, with an operator class of the same family.
DROP INDEX _timescaledb_internal._hyper_1_1_chunk_ix_symbol;
CREATE INDEX by_hand ON _timescaledb_internal._hyper_1_1_chunk (symbol varchar_ops, time DESC);
DROP INDEX _timescaledb_internal._hyper_1_2_chunk_ix_dear;
CREATE INDEX "Another's" ON _timescaledb_internal._hyper_1_2_chunk (time) WHERE ("Price" > '5e1') AND (symbol IS NOT NULL);
-- One more that nobody asked for.
CREATE INDEX ON _timescaledb_internal._hyper_1_3_chunk (symbol);
ALTER INDEX _timescaledb_internal._hyper_1_4_chunk_ix_later RENAME TO renamed;
