-- also: drop_created_before
SELECT alter_job(job_id, config => (config - 'drop_after') || '{"drop_created_before": "90 days"}', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_name = 'events';
