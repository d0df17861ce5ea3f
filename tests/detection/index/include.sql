DROP INDEX public.ix_orders;
CREATE INDEX ix_orders ON public.orders (symbol, at DESC) INCLUDE (price, id) WITH (fillfactor = 80) WHERE venue > 0;
