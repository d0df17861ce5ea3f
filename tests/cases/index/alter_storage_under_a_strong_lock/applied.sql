SELECT reloptions = ARRAY['fastupdate=false'] FROM pg_class WHERE relname = 'ix_orders';
