-- status: missing
ALTER TABLE public.events RESET (fillfactor, autovacuum_vacuum_scale_factor, toast.autovacuum_enabled);
