SELECT count(*) = 2, bool_and(indisvalid) FROM pg_index WHERE indrelid::regclass::text ~ 'orders_[12]$';
SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_orders'::regclass;
