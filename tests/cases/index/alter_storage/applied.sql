SELECT reloptions = ARRAY['fillfactor=60'] FROM pg_class WHERE relname = 'ix_orders';
