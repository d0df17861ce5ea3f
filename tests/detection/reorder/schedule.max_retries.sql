SELECT alter_job(job_id, max_retries => 4, timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder' AND hypertable_name = 'events';
