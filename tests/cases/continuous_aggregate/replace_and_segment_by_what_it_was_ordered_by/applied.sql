SELECT attname = 'symbol' FROM timescaledb_information.compression_settings WHERE hypertable_name = 'hourly' AND segmentby_column_index = 1;
