CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, venue text, price float8, volume bigint);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, symbol, avg(price) AS price, sum(volume) AS volume
  FROM public.trades
 GROUP BY 1, 2
  WITH NO DATA;
