-- status: paused
SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs WHERE config ->> 'end_offset' = '7 days';
