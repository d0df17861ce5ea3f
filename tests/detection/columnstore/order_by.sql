ALTER TABLE public.events SET (timescaledb.orderby = 'at DESC, venue NULLS FIRST');
