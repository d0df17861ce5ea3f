ALTER TABLE public.orders SET (timescaledb.enable_columnstore = false);
