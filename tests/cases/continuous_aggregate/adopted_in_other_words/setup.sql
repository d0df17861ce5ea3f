CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, venue text, price float8, volume bigint);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades
SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '30 minutes', 'S' || i % 3, 'X', i, i FROM generate_series(0, 239) AS i;
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT time_bucket('1 hour', t.time) AS bucket, t.symbol, count(*), avg(t.price * 2) FILTER (WHERE t.volume > 1 + 1) AS "Price"
  FROM trades t WHERE t.symbol IN ('S0', 'S1') AND NOT t.price BETWEEN 5 AND 7 GROUP BY t.symbol, bucket HAVING count(*) > 0
  WITH NO DATA;
