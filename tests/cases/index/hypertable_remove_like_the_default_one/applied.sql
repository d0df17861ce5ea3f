SELECT to_regclass('public.ix_ticks') IS NULL AND to_regclass('public.ticks_time_idx') IS NOT NULL;
