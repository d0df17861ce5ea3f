CREATE TABLE public.before (time timestamptz NOT NULL, symbol text, price float8);
SELECT create_hypertable('public.before', 'time', 'symbol', 2, chunk_time_interval => interval '1 day');
CREATE INDEX ix_by_hand ON public.before (time DESC);
CREATE INDEX ix_ours ON public.before (time DESC);
ALTER TABLE public.before RENAME TO ticks;
