SELECT materialized_only, NOT compression_enabled FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'hourly';
SELECT count(*) = 0 FROM public.hourly;
SELECT config ->> 'start_offset' = '7 days', config ->> 'end_offset' = '01:00:00', schedule_interval = INTERVAL '1 hour' FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
