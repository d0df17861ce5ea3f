CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades SELECT g, 'a', 1 FROM generate_series(timestamptz '2026-01-01 00:00+00', '2026-01-20 00:00+00', '1 hour') AS g;
CREATE TABLE public.moved (LIKE public.trades);
SELECT create_hypertable('public.moved', by_range('time', INTERVAL '7 days'));
INSERT INTO public.moved SELECT time, symbol, 2 FROM public.trades;
