SELECT delete_job(job_id) FROM timescaledb_information.jobs WHERE config ->> 'end_offset' = '7 days';
SELECT alter_job(job_id, config => config || '{"start_offset": "9 days"}', schedule_interval => INTERVAL '3 hours') FROM timescaledb_information.jobs WHERE job_id >= 1000;
