SELECT column_name = 'time', time_interval = INTERVAL '7 days' FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'trades';
SELECT attnotnull FROM pg_attribute WHERE attrelid = 'public.trades'::regclass AND attname = 'time';
