SELECT view_definition LIKE '%half_hourly%' FROM timescaledb_information.continuous_aggregates WHERE view_name = 'daily';
SELECT count(*) = 20 FROM public.daily;
