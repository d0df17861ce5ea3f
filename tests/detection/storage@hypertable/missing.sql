-- status: missing
ALTER TABLE public.events RESET (fillfactor);
