CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.a WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, min(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.c WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 day', bucket) AS bucket, max(price) AS price FROM public.a GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.d WITH (timescaledb.continuous) AS
SELECT public.time_bucket('2 days', bucket) AS bucket, max(price) AS price FROM public.c GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.e WITH (timescaledb.continuous) AS
SELECT public.time_bucket('4 days', bucket) AS bucket, max(price) AS price FROM public.d GROUP BY 1 WITH NO DATA;
