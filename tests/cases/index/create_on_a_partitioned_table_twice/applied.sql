SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_orders'::regclass;
SELECT indexdef LIKE '%(id, at)' FROM pg_indexes WHERE tablename = 'orders_1';
SELECT count(*) = 0 FROM pg_class WHERE relname ~ '_chronoform_';
