SELECT count(*) = 1 FROM pg_class WHERE relname ~ '^ix_orders_with_a_name' AND length(relname::text) = 63;
