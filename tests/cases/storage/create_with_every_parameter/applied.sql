SELECT cardinality(c.reloptions) = 22, cardinality(t.reloptions) = 16 FROM pg_class AS c JOIN pg_class AS t ON t.oid = c.reltoastrelid WHERE c.oid = 'public.orders'::regclass;
