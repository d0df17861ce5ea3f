-- The chunks of the hypertable of the schema $1 and the name $2: each with its range, what it bears as its comment,
-- whether it is frozen, and whether this transaction has made it.
SELECT k.chunk_schema AS schema, k.chunk_name AS name,
       COALESCE(k.range_start::text, k.range_start_integer::text) AS range_start,
       COALESCE(k.range_end::text, k.range_end_integer::text) AS range_end,
       pg_catalog.obj_description(c.oid, 'pg_class') AS mark,
       _timescaledb_functions.chunk_status(c.oid) & 4 <> 0 AS frozen,
       c.xmin = pg_catalog.pg_current_xact_id()::pg_catalog.xid AS made
  FROM timescaledb_information.chunks AS k
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = k.chunk_schema
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = k.chunk_name
 WHERE k.hypertable_schema = $1 AND k.hypertable_name = $2
 ORDER BY 1, 2
