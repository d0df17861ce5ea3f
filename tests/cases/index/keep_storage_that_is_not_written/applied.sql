SELECT reloptions = ARRAY['fillfactor=55'] FROM pg_class WHERE relname = 'ix_orders';
