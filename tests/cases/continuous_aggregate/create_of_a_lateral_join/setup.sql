CREATE TABLE public.trades (time timestamptz NOT NULL, symbol int NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE TABLE public.symbols (id int PRIMARY KEY, factor float8);
