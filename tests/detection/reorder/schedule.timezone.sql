SELECT alter_job(job_id, if_exists => true, timezone => 'Europe/Paris')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder' AND hypertable_name = 'events';
