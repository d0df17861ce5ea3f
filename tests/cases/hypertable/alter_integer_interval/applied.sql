SELECT integer_interval = 86400 FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'events';
