CREATE TABLE public.trades (time timestamptz NOT NULL, doc json, place point);
SELECT create_hypertable('public.trades', by_range('time'));
