CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '6 hours', 'S', i FROM generate_series(0, 11) AS i;
