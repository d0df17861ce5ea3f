SELECT indexdef = 'CREATE INDEX ix_orders ON public.orders USING btree (symbol)' FROM pg_indexes WHERE schemaname = 'public' AND indexname = 'ix_orders';
