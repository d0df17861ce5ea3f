-- status: missing
ALTER TABLE public.ticks RESET (fillfactor, autovacuum_vacuum_scale_factor, toast.autovacuum_enabled);
