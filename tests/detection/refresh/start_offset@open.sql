SELECT alter_job(job_id, config => config || '{"start_offset": null}')
  FROM timescaledb_information.jobs
 WHERE config ->> 'end_offset' = '7 days';
