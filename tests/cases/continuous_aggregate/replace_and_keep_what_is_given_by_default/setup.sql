CREATE ROLE kept_by_default;
ALTER DEFAULT PRIVILEGES GRANT UPDATE ON TABLES TO kept_by_default;
CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, min(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 day', bucket) AS day, max(price) AS price FROM public.hourly GROUP BY 1 WITH NO DATA;
-- Of the other one, somebody has revoked it, and granted something else.
REVOKE UPDATE ON public.daily FROM kept_by_default;
GRANT SELECT, INSERT ON public.daily TO kept_by_default;
ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO kept_by_default;
