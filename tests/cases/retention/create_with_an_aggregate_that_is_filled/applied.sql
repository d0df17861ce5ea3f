SELECT count(*) = 3 FROM timescaledb_information.jobs WHERE proc_name = 'policy_retention';
