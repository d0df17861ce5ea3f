CREATE TABLE public.trades (time timestamptz NOT NULL, fee money);
SELECT create_hypertable('public.trades', by_range('time'));
