SELECT (SELECT array_agg(o ORDER BY o) FROM unnest(c.reloptions) AS o) = ARRAY['toast_tuple_target=2048'] FROM pg_class AS c LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid WHERE c.oid = 'public.orders'::regclass;
SELECT t.reloptions IS NULL FROM pg_class AS c LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid WHERE c.oid = 'public.orders'::regclass;
