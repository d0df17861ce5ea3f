SELECT reloptions = ARRAY['deduplicate_items=false'] FROM pg_class WHERE relname = 'ix_orders';
