SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' OR config ->> 'start_offset' = '20 days';
