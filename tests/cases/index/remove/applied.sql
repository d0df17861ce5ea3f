SELECT count(*) = 0 FROM pg_class WHERE relname = 'ix_orders';
SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_other'::regclass;
SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_by_hand'::regclass;
