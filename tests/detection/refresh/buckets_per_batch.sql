SELECT alter_job(job_id, config => config || '{"buckets_per_batch": 7}', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE config ->> 'end_offset' = '01:00:00';
