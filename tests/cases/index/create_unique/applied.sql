SELECT indexdef = 'CREATE UNIQUE INDEX ix_orders ON public.orders USING btree (id)' FROM pg_indexes WHERE schemaname = 'public' AND indexname = 'ix_orders';
