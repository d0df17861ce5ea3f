CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 hour', time) AS bucket, max(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', bucket) AS day, max(price) AS price FROM public.hourly GROUP BY 1 WITH NO DATA;
