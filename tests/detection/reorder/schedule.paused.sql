SELECT alter_job(job_id, scheduled => false, timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder' AND hypertable_name = 'events';
