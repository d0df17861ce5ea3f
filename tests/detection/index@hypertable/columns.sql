DROP INDEX public.ix_full;
CREATE INDEX ix_full ON public.events (at, symbol) INCLUDE (price) WITH (fillfactor = 90) WHERE price > 10;
