SELECT count(*) = 240 FROM public.hourly;
SELECT view_definition ~ 'max' FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'hourly';
