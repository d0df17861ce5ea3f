SELECT indexdef = 'CREATE INDEX ix_ticks ON public.ticks USING btree (symbol, "time" DESC)' FROM pg_indexes WHERE schemaname = 'public' AND indexname = 'ix_ticks';
SELECT count(*) = 3 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE '%btree (symbol, "time" DESC)';
SELECT count(*) = 3 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexname LIKE '%ix_ticks';
SELECT count(*) = 6 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexname LIKE '\_hyper%';
SELECT count(*) = 0 FROM pg_class WHERE relname ~ '_chronoform_';
