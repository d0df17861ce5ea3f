SELECT c.reloptions @> ARRAY['fillfactor=80', 'autovacuum_enabled=false'] FROM pg_class AS c JOIN pg_inherits AS h ON h.inhrelid = c.oid WHERE h.inhparent = 'public.ticks'::regclass;
SELECT count(*) = 1 FROM pg_class WHERE reloptions::text ~ 'parallel_workers=3';
