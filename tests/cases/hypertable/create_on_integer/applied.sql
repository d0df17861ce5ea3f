SELECT column_name = 'at', integer_interval = 86400, integer_now_func = 'unix_now' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'events';
