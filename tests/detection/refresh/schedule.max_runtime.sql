SELECT alter_job(job_id, max_runtime => INTERVAL '2 hours', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE config ->> 'end_offset' = '01:00:00';
