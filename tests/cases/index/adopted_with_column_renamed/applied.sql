SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_orders'::regclass;
