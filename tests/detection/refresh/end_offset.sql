SELECT alter_job(job_id, config => config || '{"end_offset": "2 hours"}', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE config ->> 'end_offset' = '01:00:00';
