SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder';
