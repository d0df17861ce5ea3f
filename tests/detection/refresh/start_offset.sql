SELECT alter_job(job_id, config => config || '{"start_offset": "5 days"}', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE config ->> 'end_offset' = '01:00:00';
