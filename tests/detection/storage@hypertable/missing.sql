-- status: missing
ALTER TABLE public.events RESET (fillfactor, toast.autovacuum_enabled);
