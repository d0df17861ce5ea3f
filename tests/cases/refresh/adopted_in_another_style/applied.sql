SELECT count(*) = 2 FROM timescaledb_information.jobs WHERE job_id >= 1000;
