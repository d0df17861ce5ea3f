ALTER TABLE public.trades SET (timescaledb.enable_columnstore = false);
