DROP INDEX public.ix_nulls;
CREATE UNIQUE INDEX ix_nulls ON public.events (id, at);
