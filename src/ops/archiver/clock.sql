-- How the hypertable of the schema $1 and the name $2 tells the time: the type of its time, and its integer_now.
SELECT pg_catalog.format_type(d.column_type, NULL) AS type,
       d.integer_now_func_schema AS schema, d.integer_now_func AS name
  FROM _timescaledb_catalog.dimension AS d
  JOIN _timescaledb_catalog.hypertable AS h ON h.id = d.hypertable_id
 WHERE h.schema_name = $1 AND h.table_name = $2 AND d.interval_length IS NOT NULL
 ORDER BY d.id
 LIMIT 1
