SELECT array_agg(column_name::text ORDER BY dimension_number) = '{time,symbol,venue}',
       array_agg(num_partitions ORDER BY dimension_number) = '{NULL,4,2}'
  FROM timescaledb_information.dimensions
 WHERE hypertable_schema = 'public' AND hypertable_name = 'trades';
