CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades SELECT g, 'a', 1 FROM generate_series(timestamptz '2026-01-01 00:00+00', '2026-01-20 00:00+00', '1 hour') AS g;
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 hour', time) AS bucket, symbol, max(price) AS price FROM public.trades GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', public.hourly.bucket) AS day, public.hourly.symbol, max(public.hourly.price) AS price
    FROM public.hourly GROUP BY 1, 2 WITH NO DATA;
