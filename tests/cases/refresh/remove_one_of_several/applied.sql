SELECT count(*) = 1, bool_and(config ->> 'start_offset' = '7 days') FROM timescaledb_information.jobs WHERE job_id >= 1000;
