CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades
SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '30 minutes', 'S' || i % 3, i FROM generate_series(0, 239) AS i;
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, symbol, avg(price) AS price FROM public.trades GROUP BY 1, 2 WITH NO DATA;
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 day', bucket) AS bucket, symbol, max(price) AS price FROM public.hourly GROUP BY 1, 2 WITH NO DATA;
ALTER MATERIALIZED VIEW public.hourly SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'symbol');
ALTER MATERIALIZED VIEW public.daily SET (timescaledb.enable_columnstore, timescaledb.segmentby = 'symbol');
