-- The columns with chunk skipping. $1 oid[]: the relations in scope.
-- Beside the ranges of each chunk, the catalog has one row a column that stands for the hypertable:
-- without a chunk from TimescaleDB 2.21 on, with chunk 0 before.
SELECT c.oid, s.column_name
  FROM _timescaledb_catalog.chunk_column_stats AS s
  JOIN _timescaledb_catalog.hypertable AS h ON h.id = s.hypertable_id
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = h.schema_name
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = h.table_name
 WHERE COALESCE(s.chunk_id, 0) = 0 AND c.oid = ANY ($1)
 ORDER BY c.oid, s.column_name
