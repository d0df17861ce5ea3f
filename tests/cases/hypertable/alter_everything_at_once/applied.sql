SELECT integer_interval = 86400, integer_now_func = 'unix_now' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'events' AND column_name = 'at';
SELECT num_partitions = 4 FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'events' AND column_name = 'symbol';
SELECT num_partitions = 2 FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'events' AND column_name = 'venue';
