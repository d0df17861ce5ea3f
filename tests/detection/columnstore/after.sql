SELECT alter_job(job_id, config => jsonb_set(config, '{compress_after}', '"30 days"'), timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression' AND hypertable_name = 'events';
