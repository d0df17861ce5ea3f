SELECT count(*) = 0 FROM pg_class WHERE relname = 'ix_orders';
