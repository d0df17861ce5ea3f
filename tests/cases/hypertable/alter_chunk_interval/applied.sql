SELECT time_interval = INTERVAL '30 days' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'trades';
SELECT count(*) = 10 FROM timescaledb_information.chunks WHERE hypertable_schema = 'public' AND hypertable_name = 'trades';
