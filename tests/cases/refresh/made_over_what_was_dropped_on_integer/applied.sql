SELECT count(*) = 2 FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
