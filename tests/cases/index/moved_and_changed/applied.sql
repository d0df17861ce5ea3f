SELECT pg_get_indexdef('public.new'::regclass) LIKE '%(symbol, at DESC)';
SELECT reloptions = '{fillfactor=70}' FROM pg_class WHERE oid = 'public.another'::regclass;
SELECT count(*) = 2 FROM pg_indexes WHERE tablename = 'events';
