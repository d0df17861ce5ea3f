SELECT config -> 'start_offset' = 'null', config -> 'end_offset' = 'null' FROM timescaledb_information.jobs WHERE proc_name = 'policy_refresh_continuous_aggregate';
