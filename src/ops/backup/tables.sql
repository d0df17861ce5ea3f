-- Every table of the database with its own rows, the small ones first, and the statement that reads it from
-- end to end. $1 bigint: the size up to which one is read.
SELECT n.nspname || '.' || c.relname AS name, pg_catalog.pg_relation_size(c.oid) AS bytes,
       pg_catalog.format('SELECT pg_catalog.count(*)::text AS rows FROM ONLY %I.%I', n.nspname, c.relname) AS count
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence = 'p' AND n.nspname !~ '^pg_(temp|toast)'
   AND n.nspname <> 'information_schema' AND pg_catalog.pg_relation_size(c.oid) <= $1::bigint
   AND (c.relkind <> 'm' OR c.relispopulated)
 ORDER BY 2, n.nspname COLLATE "C", c.relname COLLATE "C"
