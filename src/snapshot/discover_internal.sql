-- What TimescaleDB makes itself and keeps outside its own schemas, where it was told to: chunks, the
-- tables of compressed chunks, and those that hold continuous aggregates.
SELECT c.schema_name AS schema, c.table_name AS name
  FROM _timescaledb_catalog.chunk AS c
 WHERE NOT pg_catalog.starts_with(c.schema_name::text, '_timescaledb_')
UNION
SELECT h.schema_name, h.table_name
  FROM _timescaledb_catalog.hypertable AS h
 WHERE NOT pg_catalog.starts_with(h.schema_name::text, '_timescaledb_')
   AND (h.compression_state = 2
        OR EXISTS (SELECT FROM _timescaledb_catalog.continuous_agg AS a WHERE a.mat_hypertable_id = h.id))
