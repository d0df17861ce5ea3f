CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.a WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 hour', time) AS time, max(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.b WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', time) AS time, max(price) AS price FROM public.a GROUP BY 1 WITH NO DATA;
