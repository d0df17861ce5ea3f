SELECT view_definition LIKE '%min(%' FROM timescaledb_information.continuous_aggregates;
SELECT count(*) = 20 FROM public.daily;
