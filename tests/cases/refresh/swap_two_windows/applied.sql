SELECT config ->> 'end_offset' = '1 day', schedule_interval = '1 day', max_runtime = '10 minutes' FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_refresh_continuous_aggregate' AND config ->> 'start_offset' = '6 days';
SELECT config ->> 'end_offset' = '8 days', schedule_interval = '1 hour', max_retries = 3 FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_refresh_continuous_aggregate' AND config ->> 'start_offset' = '20 days';
