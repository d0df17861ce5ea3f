SELECT NOT scheduled, schedule_interval = INTERVAL '2 hours' FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
