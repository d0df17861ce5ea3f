SELECT alter_job(job_id, config => config || '{"index_name": "ix_venue"}') FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder';
