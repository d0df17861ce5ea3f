-- also: segment_by order_by sparse_index
ALTER TABLE public.events SET (timescaledb.enable_columnstore = false);
