SELECT count(*) = 1 FROM timescaledb_information.jobs WHERE job_id >= 1000;
