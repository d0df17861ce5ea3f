SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_ticks'::regclass;
SELECT count(*) = 3 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE '%btree (symbol)';
