SELECT alter_job(job_id, retry_period => INTERVAL '11 minutes', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder' AND hypertable_name = 'events';
