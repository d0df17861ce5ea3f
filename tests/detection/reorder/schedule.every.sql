SELECT alter_job(job_id, schedule_interval => INTERVAL '11 hours', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder' AND hypertable_name = 'events';
