SELECT count(*) = 1 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE '%(symbol)';
