CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades SELECT time, 1 FROM generate_series(timestamptz '2020-01-01 00:00+00', '2020-01-20 23:00+00', '1 hour') AS time;
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 hour', time) AS bucket, max(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', bucket) AS day, max(price) AS price FROM public.hourly GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.weekly WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('7 days', day) AS week, max(price) AS price FROM public.daily GROUP BY 1 WITH NO DATA;
-- Nothing refreshes this one.
CREATE MATERIALIZED VIEW public.by_hand WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', bucket) AS day, min(price) AS price FROM public.hourly GROUP BY 1 WITH NO DATA;
SELECT add_continuous_aggregate_policy('public.hourly', INTERVAL '7 days', INTERVAL '1 hour', INTERVAL '1 hour');
SELECT add_continuous_aggregate_policy('public.daily', NULL, INTERVAL '1 day', INTERVAL '1 hour');
SELECT add_continuous_aggregate_policy('public.weekly', NULL, INTERVAL '1 day', INTERVAL '1 hour');
