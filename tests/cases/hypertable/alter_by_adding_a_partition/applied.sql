SELECT num_partitions = 4 FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'trades' AND column_name = 'symbol';
SELECT num_partitions = 3 FROM timescaledb_information.dimensions WHERE hypertable_schema = 'public' AND hypertable_name = 'trades' AND column_name = 'price';
SELECT count(*) = 40 FROM public.trades;
