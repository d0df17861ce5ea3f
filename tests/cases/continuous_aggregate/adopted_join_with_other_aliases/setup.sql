CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, venue text, price float8, volume bigint);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE TABLE public.venues (venue text PRIMARY KEY, country text NOT NULL);
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT time_bucket('1 hour', t.time) AS bucket, v.country, count(*) AS n
  FROM trades AS t JOIN venues v ON (t.venue = v.venue) GROUP BY 1, 2 WITH NO DATA;
