SELECT reloptions::text LIKE '%0.0200%' FROM pg_class WHERE oid = 'public.orders'::regclass;
