ALTER TABLE public.orders SET (fillfactor = 20), RESET (autovacuum_enabled);
