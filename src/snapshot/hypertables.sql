-- $1 oids, $2 schemas, $3 names of the relations in scope: the shape of those that are hypertables,
-- one row a dimension, time first. Lengths are raw: the column's type says whether they are
-- microseconds. The names are given because looking them up again costs more than all the rest.
-- Works from TimescaleDB 2.13 to 2.29. Chunks are counted as inheritance children, because the chunk
-- catalog keeps dropped chunks before 2.26. The columnstore shows in `compression_state` up to 2.28
-- and in `status` from 2.29 on, whose update script clears the older field.
WITH chunks AS MATERIALIZED (
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
  FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS s (oid, schema, name)
  JOIN _timescaledb_catalog.hypertable AS h ON h.table_name = s.name AND h.schema_name = s.schema
  JOIN _timescaledb_catalog.dimension AS d ON d.hypertable_id = h.id
  LEFT JOIN chunks AS k ON k.inhparent = s.oid
 WHERE h.compression_state <> 2
 ORDER BY s.oid, d.num_slices IS NOT NULL, d.id
