SELECT count(*) = 0 FROM pg_class WHERE relname ~ 'ix_ticks';
SELECT count(*) = 3 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE '%btree (price)';
