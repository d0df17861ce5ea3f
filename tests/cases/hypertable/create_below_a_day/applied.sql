SELECT time_interval = INTERVAL '1 day 01:30:00' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'ticks';
