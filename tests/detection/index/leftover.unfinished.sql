CREATE INDEX ix_plain_chronoform_new ON public.events (symbol);
UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid = 'public.ix_plain_chronoform_new'::regclass;
