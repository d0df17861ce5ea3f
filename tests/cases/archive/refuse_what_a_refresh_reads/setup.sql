CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 hour', time) AS bucket, count(*) AS n FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', time) AS bucket, count(*) AS n FROM public.trades GROUP BY 1 WITH NO DATA;
SELECT add_continuous_aggregate_policy('public.hourly', INTERVAL '2 months', INTERVAL '1 hour', INTERVAL '1 hour');
SELECT add_continuous_aggregate_policy('public.daily', INTERVAL '60 days', INTERVAL '1 day', INTERVAL '1 day');
