SELECT NOT config ? 'start_offset' OR config ->> 'start_offset' IS NULL FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
