SELECT view_definition LIKE '%half_hourly%' FROM timescaledb_information.continuous_aggregates WHERE view_name = 'daily';
SELECT count(*) = 20 FROM public.daily;
SELECT count(*) = 2 FROM pg_catalog.pg_views WHERE schemaname = 'public' AND viewname IN ('hourly', 'half_hourly');
