SELECT alter_job(job_id, timezone => 'Asia/Tokyo')
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression' AND hypertable_name = 'events';
