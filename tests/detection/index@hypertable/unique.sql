DROP INDEX public.ix_unique;
CREATE INDEX ix_unique ON public.events (id, at);
