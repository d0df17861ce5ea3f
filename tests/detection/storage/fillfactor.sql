ALTER TABLE public.ticks SET (fillfactor = 50);
