SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate' AND hypertable_name = 'hourly' AND config ->> 'start_offset' IS NULL;
SELECT count(*) = 20 FROM public.daily;
