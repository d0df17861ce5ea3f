SELECT count(*) = 20 FROM public.daily;
SELECT view_definition LIKE '%min(%' FROM timescaledb_information.continuous_aggregates WHERE view_name = 'hourly';
