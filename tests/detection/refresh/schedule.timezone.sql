SELECT alter_job(job_id, timezone => 'Asia/Tokyo')
  FROM timescaledb_information.jobs
 WHERE config ->> 'end_offset' = '01:00:00';
