CREATE ROLE joined_reader;
CREATE ROLE joined_option;
CREATE ROLE joined_later;
CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
