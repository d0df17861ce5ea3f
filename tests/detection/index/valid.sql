UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'public.ix_orders'::regclass;
