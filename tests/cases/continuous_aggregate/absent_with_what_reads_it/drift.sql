CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
SELECT public.time_bucket('1 day', bucket) AS day, symbol, max(price) AS price FROM public.hourly GROUP BY 1, 2 WITH NO DATA;
