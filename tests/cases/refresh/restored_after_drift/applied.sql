SELECT schedule_interval = INTERVAL '1 hour' FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate' AND config ->> 'start_offset' = '7 days';
SELECT true FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate' AND config ->> 'end_offset' = '7 days';
