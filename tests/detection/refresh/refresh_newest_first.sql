SELECT alter_job(job_id, config => config || '{"refresh_newest_first": true}', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE config ->> 'end_offset' = '01:00:00';
