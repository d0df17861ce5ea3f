UNION ALL
SELECT DISTINCT 'in_columnstore', c.oid::bigint, NULL, NULL, NULL, NULL::bigint, NULL::bigint, NULL::bigint
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN _timescaledb_catalog.hypertable AS h ON h.schema_name = n.nspname AND h.table_name = c.relname
JOIN _timescaledb_catalog.chunk AS k ON k.hypertable_id = h.id AND k.compressed_chunk_id IS NOT NULL AND NOT k.dropped
JOIN pg_catalog.pg_namespace AS kn ON kn.nspname = k.schema_name
JOIN pg_catalog.pg_class AS kc ON kc.relnamespace = kn.oid AND kc.relname = k.table_name
JOIN pg_catalog.pg_am AS a ON a.oid = kc.relam AND a.amname <> 'hypercore'
WHERE c.oid = ANY ($1::oid[])
