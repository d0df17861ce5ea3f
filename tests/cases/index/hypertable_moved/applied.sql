SELECT count(*) = 1 FROM pg_indexes WHERE tablename = 'events' AND indexname = 'new';
SELECT count(*) = 0 FROM pg_class WHERE relname = 'old';
SELECT config ->> 'index_name' = 'new' FROM timescaledb_information.jobs WHERE proc_name = 'policy_reorder';
