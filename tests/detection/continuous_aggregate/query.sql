DROP MATERIALIZED VIEW public.hourly;
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, symbol, avg(price) AS price, sum(volume + 1) AS volume
  FROM public.trades
 GROUP BY 1, 2
  WITH NO DATA;
SELECT set_chunk_time_interval('public.hourly', INTERVAL '20 days');
CALL refresh_continuous_aggregate('public.hourly', NULL, NULL);
