SELECT alter_job(job_id, config => jsonb_set(config, '{drop_created_before}', '"1 day"'))
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_name = 'ticks';
