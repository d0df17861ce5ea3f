CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
  SELECT public.time_bucket('1 day', at) AS day, sum(v) AS v FROM public.h GROUP BY 1;
