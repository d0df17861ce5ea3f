SELECT num_partitions = 8 FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'trades' AND column_name = 'symbol';
