-- also: columns include storage.fillfactor
DROP INDEX public.ix_orders;
CREATE INDEX ix_orders ON public.orders USING hash (symbol) WHERE venue > 0;
