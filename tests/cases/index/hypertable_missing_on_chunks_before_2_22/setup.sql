CREATE TABLE public.ticks (time timestamptz NOT NULL, symbol text, price float8);
SELECT create_hypertable('public.ticks', 'time', chunk_time_interval => interval '1 day');
CREATE INDEX ix_symbol ON public.ticks (symbol);
CREATE INDEX ix_dear ON public.ticks (time) WHERE price > 50;
CREATE INDEX ix_cheap ON public.ticks (time) WHERE price < 5;
INSERT INTO public.ticks
SELECT timestamptz '2026-01-01 00:00:00+00' + g * interval '1 hour', 's' || g % 3, g FROM generate_series(0, 71) AS g;
DROP INDEX _timescaledb_internal._hyper_1_1_chunk_ix_symbol;
DROP INDEX _timescaledb_internal._hyper_1_3_chunk_ix_symbol;
DROP INDEX _timescaledb_internal._hyper_1_2_chunk_ix_cheap;
