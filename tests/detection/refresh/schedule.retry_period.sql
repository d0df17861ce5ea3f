SELECT alter_job(job_id, retry_period => INTERVAL '6 minutes', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE config ->> 'end_offset' = '01:00:00';
