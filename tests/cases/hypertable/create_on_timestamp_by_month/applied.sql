SELECT column_name = 'at', time_interval = INTERVAL '30 days' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'reports';
