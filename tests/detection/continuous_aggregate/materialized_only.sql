ALTER MATERIALIZED VIEW public.hourly SET (timescaledb.materialized_only = false);
