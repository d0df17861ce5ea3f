-- status: missing
SELECT delete_job(job_id) FROM timescaledb_information.jobs WHERE config ->> 'end_offset' = '01:00:00';
