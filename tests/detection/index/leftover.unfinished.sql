-- fails
CREATE UNIQUE INDEX CONCURRENTLY ix_plain_chronoform_new ON public.events ((id IS NULL));
