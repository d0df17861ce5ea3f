DROP INDEX public.ix_orders;
CREATE INDEX ix_orders ON public.orders (symbol, at DESC) INCLUDE (price) WITH (fillfactor = 80) WHERE venue > 1;
