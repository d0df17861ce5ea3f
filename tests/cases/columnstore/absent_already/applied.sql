SELECT count(*) = 0 FROM _timescaledb_catalog.compression_settings;
