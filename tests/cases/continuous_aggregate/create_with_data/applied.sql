SELECT count(*) > 0, min(bucket) = '2020-01-01 00:00+00' FROM public.hourly;
SELECT materialized_only FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'hourly';
