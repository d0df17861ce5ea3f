DROP INDEX public.ix_full;
CREATE INDEX ix_full ON public.events (symbol, at DESC) INCLUDE (price, id) WITH (fillfactor = 90) WHERE price > 10;
