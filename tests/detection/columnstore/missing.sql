-- status: missing
CALL remove_columnstore_policy('public.events');
ALTER TABLE public.events SET (timescaledb.enable_columnstore = false);
