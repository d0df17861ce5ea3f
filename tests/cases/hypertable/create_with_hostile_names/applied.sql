SELECT count(*) = 2, bool_or(column_name = 'Zeit $$'), bool_or(num_partitions = 2)
  FROM timescaledb_information.dimensions
 WHERE hypertable_schema = 'Odd "schema' AND hypertable_name = 'a.b''; DROP TABLE x; --';
