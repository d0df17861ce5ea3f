SELECT indexdef = 'CREATE INDEX ix_orders ON public.orders USING btree (id, at)' FROM pg_indexes WHERE schemaname = 'public' AND indexname = 'ix_orders';
SELECT count(*) = 0 FROM pg_class WHERE relname ~ '_chronoform_';
