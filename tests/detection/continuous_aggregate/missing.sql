-- status: missing
DROP MATERIALIZED VIEW public.hourly;
