CREATE TABLE public.trades (time timestamptz PRIMARY KEY, symbol text);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
