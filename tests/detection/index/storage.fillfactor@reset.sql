ALTER INDEX public.ix_full RESET (fillfactor);
