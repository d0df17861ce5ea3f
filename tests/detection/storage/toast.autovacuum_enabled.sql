ALTER TABLE public.ticks SET (toast.autovacuum_enabled = true);
