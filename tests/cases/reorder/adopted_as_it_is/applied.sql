SELECT job_id = 1000 FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder' AND hypertable_name = 'trades';
