DROP INDEX public.ix_full;
CREATE INDEX ix_full ON public.events (symbol, at DESC) INCLUDE (price) WITH (fillfactor = 90) WHERE price > 11;
