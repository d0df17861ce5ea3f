SELECT alter_job(job_id, schedule_interval => INTERVAL '1 day', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_name = 'events';
