SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ticks_time_idx'::regclass;
