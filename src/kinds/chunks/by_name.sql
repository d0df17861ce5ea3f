    SELECT ch.hypertable_id, ch.id, c.oid,
           s.compress_relid::oid AS compressed, s.relid::oid AS settings
      FROM _timescaledb_catalog.chunk AS ch
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = ch.schema_name
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = ch.table_name
      LEFT JOIN _timescaledb_catalog.compression_settings AS s
             ON s.relid = c.oid AND s.compress_relid IS NOT NULL
     WHERE ch.hypertable_id = ANY ({ids})
