SELECT alter_job(job_id, config => config || '{"max_batches_per_execution": 7}', timezone => 'Europe/Berlin')
  FROM timescaledb_information.jobs
 WHERE config ->> 'end_offset' = '01:00:00';
