-- $1 oids of the relations in scope: the shape of those that are hypertables, one row a dimension,
-- time first. Lengths are raw: the column's type says whether they are microseconds.
SELECT c.oid, h.id,
       h.compression_state = 1 OR h.compressed_hypertable_id IS NOT NULL AS columnstore,
       (SELECT count(*) FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = c.oid) AS chunks,
       d.column_name, d.interval_length, d.num_slices,
       d.integer_now_func_schema, d.integer_now_func
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN _timescaledb_catalog.hypertable AS h ON h.schema_name = n.nspname AND h.table_name = c.relname
  JOIN _timescaledb_catalog.dimension AS d ON d.hypertable_id = h.id
 WHERE c.oid = ANY ($1) AND h.compression_state <> 2
 ORDER BY c.oid, d.num_slices NULLS FIRST, d.id
