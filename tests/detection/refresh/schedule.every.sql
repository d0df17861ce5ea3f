SELECT alter_job(job_id, schedule_interval => INTERVAL '1 day', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE config ->> 'end_offset' = '01:00:00';
