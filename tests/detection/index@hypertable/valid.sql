UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.ix_full'::regclass;
