SELECT count(*) = 3 FROM timescaledb_information.jobs WHERE job_id >= 1000;
