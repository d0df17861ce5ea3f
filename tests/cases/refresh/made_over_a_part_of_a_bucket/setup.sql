CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades SELECT time, 1 FROM generate_series(timestamptz '2020-01-06 00:00+00', '2020-01-24 23:00+00', '1 hour') AS time;
CREATE MATERIALIZED VIEW public.weekly WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('7 days', time) AS week, sum(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
