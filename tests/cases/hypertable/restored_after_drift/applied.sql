SELECT time_interval = INTERVAL '1 day' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'trades';
