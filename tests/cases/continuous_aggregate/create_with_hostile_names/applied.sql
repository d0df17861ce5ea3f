SELECT view_schema = 'Sch''em"a; --', compression_enabled FROM timescaledb_information.continuous_aggregates WHERE view_name = 'Vi''ew $$ \ {{ x }} %s';
SELECT count(*) = 3, bool_and(max_retries = 3) FROM timescaledb_information.jobs WHERE job_id >= 1000;
SELECT count(*) = 1 FROM pg_indexes WHERE indexname = 'ix''; -- {{ x }}';
