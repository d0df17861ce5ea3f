SELECT count(*) = 0 FROM pg_class WHERE relname ~ 'ticks_time_idx';
