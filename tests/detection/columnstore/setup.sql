CREATE TABLE public.events (at timestamptz NOT NULL, symbol text, venue text, price float8);
SELECT create_hypertable('public.events', by_range('at', INTERVAL '1 day'));
CREATE TABLE public.trades (at timestamptz NOT NULL, symbol text);
SELECT create_hypertable('public.trades', by_range('at', INTERVAL '1 day'));
CREATE TABLE public.orders (at timestamptz NOT NULL, symbol text);
SELECT create_hypertable('public.orders', by_range('at', INTERVAL '1 day'));
