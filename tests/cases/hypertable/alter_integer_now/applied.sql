SELECT integer_now_func = 'now_b', integer_interval = 3600 FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'events';
