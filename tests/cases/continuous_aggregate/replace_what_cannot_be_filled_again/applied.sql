SELECT count(*) = 144, min(bucket) = '2020-01-03 00:00+00' FROM public.hourly;
SELECT view_definition ~ 'max' FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'hourly';
SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE job_id >= 1000;
SELECT count(*) = 0 FROM pg_indexes WHERE indexname = 'ix_by_hand';
