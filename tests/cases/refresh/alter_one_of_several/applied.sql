SELECT schedule_interval = INTERVAL '2 days' FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate' AND config ->> 'start_offset' = '60 days';
SELECT count(*) = 2 FROM timescaledb_information.jobs WHERE job_id >= 1000;
