SELECT integer_now_func = 'earlier' FROM timescaledb_information.dimensions WHERE hypertable_name = 'events';
SELECT count(*) = 100 FROM public.by_ten;
