ALTER TABLE public.trades SET (timescaledb.segmentby = 'symbol', timescaledb.orderby = 'time DESC', timescaledb.sparse_index = 'bloom(venue)');
