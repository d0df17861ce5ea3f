ALTER TABLE public.events RESET (autovacuum_vacuum_scale_factor);
