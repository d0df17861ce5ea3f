CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades
SELECT timestamptz '2020-01-06 00:00+00' + i * INTERVAL '1 hour', i FROM generate_series(0, 28 * 24 - 1) AS i;
