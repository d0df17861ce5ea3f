CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, price int);

INSERT INTO public.trades SELECT timestamptz '2026-01-01 00:00+00' + i * interval '6 hours', 'S' || i % 3, i
  FROM generate_series(0, 39) AS i;
ANALYZE public.trades;
