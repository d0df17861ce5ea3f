CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades
SELECT time, symbol, 1 FROM generate_series(timestamptz '2020-01-01 00:00+00', '2020-01-10 23:00+00', '1 hour') AS time, (VALUES ('a'), ('b')) AS s (symbol);
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', time) AS bucket, symbol, max(price) AS price FROM public.trades GROUP BY 1, 2 WITH NO DATA;
SELECT add_continuous_aggregate_policy('public.daily', INTERVAL '7 days', INTERVAL '1 hour', INTERVAL '1 hour');
