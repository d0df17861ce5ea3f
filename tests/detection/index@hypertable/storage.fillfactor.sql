ALTER INDEX public.ix_full SET (fillfactor = 50);
