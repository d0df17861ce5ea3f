CREATE INDEX ix_plain_chronoform_new ON public.events (symbol);
