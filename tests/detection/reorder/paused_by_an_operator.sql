-- status: paused
SELECT alter_job(job_id, scheduled => false)
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_reorder' AND hypertable_name = 'ticks';
