SELECT indexdef = 'CREATE INDEX ix_ticks ON public.ticks USING btree (symbol, "time" DESC)' FROM pg_indexes WHERE schemaname = 'public' AND indexname = 'ix_ticks';
