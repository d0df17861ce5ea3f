ALTER TABLE public.events SET (timescaledb.orderby = 'at DESC, venue', timescaledb.sparse_index = 'minmax(price)');
