SELECT most = 6, count(*) > 10 FROM public.daily GROUP BY most;
SELECT view_definition NOT LIKE '%::double precision%' AND view_definition LIKE '%symbol = 1%' FROM timescaledb_information.continuous_aggregates WHERE view_name = 'daily';
