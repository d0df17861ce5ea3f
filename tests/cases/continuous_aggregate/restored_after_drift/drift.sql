DROP MATERIALIZED VIEW public.hourly;
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
SELECT public.time_bucket('1 hour', time) AS bucket, symbol, min(price) AS price, sum(volume) AS volume
  FROM public.trades
 GROUP BY 1, 2
  WITH NO DATA;
