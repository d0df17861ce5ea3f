SELECT column_name = 'time' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'trades';
SELECT count(*) = 0 FROM pg_indexes WHERE schemaname = 'public' AND indexname = 'trades_once';
