CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', time) AS bucket, max(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
SELECT add_continuous_aggregate_policy('public.daily', INTERVAL '60 days', INTERVAL '1 hour', INTERVAL '1 hour');
SELECT alter_job(add_retention_policy('public.trades', INTERVAL '15 days'), scheduled => false);
