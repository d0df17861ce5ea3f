SELECT count(*) = 0 FROM timescaledb_information.jobs WHERE job_id >= 1000;
