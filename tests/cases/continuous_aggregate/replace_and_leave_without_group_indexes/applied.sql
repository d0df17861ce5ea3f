SELECT view_definition ~ 'max' FROM timescaledb_information.continuous_aggregates WHERE view_schema = 'public' AND view_name = 'hourly';
SELECT count(*) = 0 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE '%(symbol, bucket DESC)';
