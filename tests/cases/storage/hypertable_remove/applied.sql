SELECT c.reloptions IS NULL FROM pg_class AS c LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid WHERE c.oid = 'public.ticks'::regclass;
SELECT c.reloptions IS NULL FROM pg_class AS c LEFT JOIN pg_class AS t ON t.oid = c.reltoastrelid WHERE c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.ticks'::regclass);
