ALTER TABLE public.ticks RESET (autovacuum_vacuum_scale_factor);
