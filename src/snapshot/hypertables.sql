-- $1 oids of the relations in scope: the shape of those that are hypertables, one row a dimension,
-- time first. Lengths are raw: the column's type says whether they are microseconds.
-- Works from TimescaleDB 2.13 to 2.29. Chunks are counted as inheritance children, because the chunk
-- catalog keeps dropped chunks before 2.26. The columnstore shows in `compression_state` up to 2.28
-- and in `status` from 2.29 on, whose update script clears the older field.
WITH scope AS MATERIALIZED (
    SELECT c.oid, c.relname, n.nspname
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.oid = ANY ($1)
), chunks AS MATERIALIZED (
    SELECT i.inhparent, pg_catalog.count(*) AS chunks
      FROM pg_catalog.pg_inherits AS i
     WHERE i.inhparent = ANY ($1)
     GROUP BY i.inhparent
)
SELECT s.oid, h.id,
       h.compression_state = 1 OR h.status & 4 <> 0 AS columnstore,
       COALESCE(k.chunks, 0) AS chunks,
       d.column_name, d.interval_length, d.num_slices,
       d.integer_now_func_schema, d.integer_now_func
  FROM scope AS s
  JOIN _timescaledb_catalog.hypertable AS h ON h.table_name = s.relname AND h.schema_name = s.nspname
  JOIN _timescaledb_catalog.dimension AS d ON d.hypertable_id = h.id
  LEFT JOIN chunks AS k ON k.inhparent = s.oid
 WHERE h.compression_state <> 2
 ORDER BY s.oid, d.num_slices IS NOT NULL, d.id
