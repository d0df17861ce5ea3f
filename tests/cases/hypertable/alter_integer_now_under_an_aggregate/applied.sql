SELECT integer_now_func = 'in_millis' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'events';
