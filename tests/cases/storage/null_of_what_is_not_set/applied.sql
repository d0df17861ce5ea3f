SELECT c.reloptions IS NULL FROM pg_class AS c LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid WHERE c.oid = 'public.orders'::regclass;
