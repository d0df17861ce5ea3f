ALTER TABLE public.events SET (fillfactor = 70);
