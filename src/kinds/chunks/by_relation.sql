    SELECT ch.hypertable_id, ch.id, ch.relid::oid AS oid,
           s.compress_relid::oid AS compressed, s.relid::oid AS settings
      FROM _timescaledb_catalog.chunk AS ch
      LEFT JOIN _timescaledb_catalog.compression_settings AS s
             ON s.relid = ch.relid AND s.compress_relid IS NOT NULL
     WHERE ch.hypertable_id = ANY ({ids})
