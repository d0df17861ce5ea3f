ALTER TABLE public.orders SET (timescaledb.enable_columnstore = true, timescaledb.segmentby = '');
