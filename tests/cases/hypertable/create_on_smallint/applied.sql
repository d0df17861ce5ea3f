SELECT integer_interval = 100, integer_now_func IS NULL FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'rounds';
