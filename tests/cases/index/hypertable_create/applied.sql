SELECT indexdef = 'CREATE INDEX ix_ticks ON public.ticks USING btree (symbol, "time" DESC) INCLUDE (price) WHERE (volume > 0)' FROM pg_indexes WHERE schemaname = 'public' AND indexname = 'ix_ticks';
SELECT count(*) = 3 FROM pg_indexes WHERE schemaname = '_timescaledb_internal' AND indexdef LIKE '%btree (symbol, "time" DESC) INCLUDE (price) WHERE (volume > 0)';
