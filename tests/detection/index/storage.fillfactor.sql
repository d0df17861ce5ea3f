ALTER INDEX public.ix_orders SET (fillfactor = 50);
