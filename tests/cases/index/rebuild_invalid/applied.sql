SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_orders'::regclass;
SELECT count(*) = 0 FROM pg_class WHERE relname ~ '_chronoform_';
