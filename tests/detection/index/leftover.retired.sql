CREATE INDEX ix_plain_chronoform_old ON public.events (symbol);
COMMENT ON INDEX public.ix_plain_chronoform_old IS 'chronoform: replaced, and to be dropped';
