CREATE ROLE "Retention owner";
CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
ALTER TABLE public.trades SET (timescaledb.compress);
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 hour', time) AS bucket, max(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
ALTER TABLE public.trades OWNER TO "Retention owner";
ALTER MATERIALIZED VIEW public.hourly OWNER TO "Retention owner";
