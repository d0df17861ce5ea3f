SELECT alter_job(job_id, config => jsonb_set(config, '{compress_created_before}', '"1 day"'))
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression' AND hypertable_name = 'trades';
