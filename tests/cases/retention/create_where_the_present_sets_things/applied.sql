SELECT config -> 'drop_after' = '500' FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
