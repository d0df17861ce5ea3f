SELECT pg_catalog.count(*) = 1 FROM _timescaledb_catalog.compression_settings WHERE segmentby = '{symbol}';
