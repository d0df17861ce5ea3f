SELECT config ->> 'start_offset' = '14 days', config ->> 'end_offset' = '02:00:00', config ? 'mat_hypertable_id' FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE job_id >= 1000;
