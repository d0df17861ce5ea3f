SELECT column_name = 'time', time_interval = INTERVAL '1 day', dimension_type = 'Time' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'trades';
SELECT count(*) = 1 FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'trades';
