CREATE TABLE public.trades (time timestamptz NOT NULL, symbol int NOT NULL, price float8, volume int);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades SELECT g, extract(hour FROM g)::int % 2, 5, 6
  FROM generate_series(timestamptz '2026-01-01 00:00+00', '2026-01-20 00:00+00', '1 hour') AS g;
