-- The relations that policies may describe, in the schemas $1 text[], or in all that are not the
-- server's where none is given. A schema without any gives one row without a name. What belongs to an
-- extension and what is temporary is left out.
-- LIKE would need its wildcard escaped in a way that depends on a setting; starts_with does not.
SELECT n.nspname AS schema, c.relname AS name
  FROM pg_catalog.pg_namespace AS n
  LEFT JOIN pg_catalog.pg_class AS c
         ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
        AND NOT EXISTS (
            SELECT FROM pg_catalog.pg_depend AS d
             WHERE d.classid = 1259 AND d.objid = c.oid AND d.deptype = 'e')
 WHERE CASE WHEN pg_catalog.cardinality($1::text[]) > 0 THEN n.nspname = ANY ($1)
            ELSE NOT (pg_catalog.starts_with(n.nspname::text, 'pg_')
                      OR pg_catalog.starts_with(n.nspname::text, '_timescaledb_')
                      OR n.nspname IN ('information_schema', 'timescaledb_information', 'timescaledb_experimental'))
       END
 ORDER BY n.nspname, c.relname
