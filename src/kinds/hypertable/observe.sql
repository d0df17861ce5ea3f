-- The columns with chunk skipping. $1 bigint[]: TimescaleDB's ids of the hypertables in scope.
-- Beside the ranges of each chunk, the catalog has one row a column that stands for the hypertable:
-- without a chunk from TimescaleDB 2.21 on, with chunk 0 before.
SELECT s.hypertable_id, s.column_name
  FROM _timescaledb_catalog.chunk_column_stats AS s
 WHERE COALESCE(s.chunk_id, 0) = 0 AND s.hypertable_id = ANY ($1)
 ORDER BY s.hypertable_id, s.column_name
