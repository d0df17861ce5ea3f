CREATE ROLE given_from_now_on;
CREATE ROLE given_no_more;
CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT UPDATE ON TABLES TO given_no_more;
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, min(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 day', bucket) AS day, max(price) AS price FROM public.hourly GROUP BY 1 WITH NO DATA;
GRANT SELECT ON public.daily TO given_from_now_on;
