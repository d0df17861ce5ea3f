SELECT config ->> 'drop_after' = '400' FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
