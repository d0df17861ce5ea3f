CREATE ROLE loses_as_member;
CREATE ROLE member_loses;
GRANT member_loses TO loses_as_member;
GRANT CREATE ON SCHEMA public TO loses_as_member;
CREATE TABLE public.trades (time timestamptz NOT NULL, price float8);
SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
INSERT INTO public.trades SELECT g, 1 FROM generate_series(timestamptz '2026-01-01 00:00+00', '2026-01-20 00:00+00', '1 hour') AS g;
CREATE MATERIALIZED VIEW public.hourly WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 hour', time) AS bucket, max(price) AS price FROM public.trades GROUP BY 1 WITH NO DATA;
CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', bucket) AS day, max(price) AS price FROM public.hourly GROUP BY 1 WITH NO DATA;
GRANT SELECT ON public.hourly TO member_loses;
ALTER MATERIALIZED VIEW public.daily OWNER TO loses_as_member;
