CREATE TABLE public.trades (time timestamptz NOT NULL, received timestamptz NOT NULL);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
