SELECT count(*) = 1 FROM timescaledb_information.continuous_aggregates WHERE view_name = 'hourly';
