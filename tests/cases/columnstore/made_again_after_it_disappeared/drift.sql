CALL remove_columnstore_policy('public.trades');
ALTER TABLE public.trades SET (timescaledb.enable_columnstore = false);
