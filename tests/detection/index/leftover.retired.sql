CREATE INDEX ix_plain_chronoform_old ON public.events (symbol);
