SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_ticks'::regclass;
SELECT count(*) = 3, bool_and(indexdef LIKE '%btree (symbol, "time" DESC)') FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexname LIKE '%ix_ticks%';
SELECT count(*) = 0 FROM pg_class WHERE relname ~ '_chronoform_';
