CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, min(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
-- As long as it would be by default from now on.
CREATE MATERIALIZED VIEW public.other WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, min(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
SELECT public.set_chunk_time_interval('public.other', INTERVAL '20 days');
