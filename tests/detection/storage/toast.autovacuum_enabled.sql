ALTER TABLE public.events SET (toast.autovacuum_enabled = true);
