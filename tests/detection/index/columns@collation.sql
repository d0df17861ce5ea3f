DROP INDEX public.ix_collated;
CREATE INDEX ix_collated ON public.events (symbol COLLATE "POSIX" NULLS FIRST);
