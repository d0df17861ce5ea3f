SELECT reloptions = ARRAY['fillfactor=70'] FROM pg_class WHERE relname = 'ix_ticks';
