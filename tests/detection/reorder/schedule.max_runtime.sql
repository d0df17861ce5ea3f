SELECT alter_job(job_id, max_runtime => INTERVAL '2 hours', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder' AND hypertable_name = 'events';
