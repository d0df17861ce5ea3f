CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, price int);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
