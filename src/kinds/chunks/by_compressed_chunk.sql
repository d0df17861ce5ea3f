    SELECT ch.hypertable_id, ch.id, c.oid, zc.oid AS compressed, zc.oid AS settings
      FROM _timescaledb_catalog.chunk AS ch
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = ch.schema_name
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = ch.table_name
      LEFT JOIN _timescaledb_catalog.chunk AS z ON z.id = ch.compressed_chunk_id
      LEFT JOIN pg_catalog.pg_namespace AS zn ON zn.nspname = z.schema_name
      LEFT JOIN pg_catalog.pg_class AS zc ON zc.relnamespace = zn.oid AND zc.relname = z.table_name
     WHERE ch.hypertable_id = ANY ({ids})
