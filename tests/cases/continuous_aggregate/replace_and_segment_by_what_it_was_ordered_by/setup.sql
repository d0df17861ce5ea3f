CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 hour', time) AS bucket, symbol, max(price) AS price FROM public.trades GROUP BY 1, 2 WITH NO DATA;
ALTER MATERIALIZED VIEW public.hourly SET (timescaledb.compress, timescaledb.compress_segmentby = '', timescaledb.compress_orderby = 'bucket, symbol');
