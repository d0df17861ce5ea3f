SELECT count(*) = 457 AND bool_and(top = 1) FROM public.hourly;
SELECT count(*) = 20 AND bool_and(top = 1) FROM public.daily;
SELECT count(*) > 2 AND bool_and(best = 1) FROM public.weekly;
SELECT view_definition LIKE '%daily%' FROM timescaledb_information.continuous_aggregates WHERE view_name = 'weekly';
