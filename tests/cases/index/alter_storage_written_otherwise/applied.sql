SELECT reloptions = ARRAY['deduplicate_items=off'] FROM pg_class WHERE relname = 'ix_orders';
