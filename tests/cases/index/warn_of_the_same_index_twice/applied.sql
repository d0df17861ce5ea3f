SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_a'::regclass;
SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_b'::regclass;
