SELECT indexdef = 'CREATE INDEX ix_orders ON public.orders USING btree (symbol NULLS FIRST)' FROM pg_indexes WHERE schemaname = 'public' AND indexname = 'ix_orders';
SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_orders'::regclass;
SELECT count(*) = 0 FROM pg_class WHERE relname ~ '_chronoform_';
