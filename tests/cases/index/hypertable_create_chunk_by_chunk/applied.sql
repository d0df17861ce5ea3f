SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_ticks'::regclass;
SELECT count(*) = 3, bool_and(indexdef LIKE '%fillfactor=''95''%') FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexname LIKE '%ix_ticks';
