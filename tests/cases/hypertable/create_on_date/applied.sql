SELECT column_name = 'day', time_interval = INTERVAL '14 days' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'closings';
