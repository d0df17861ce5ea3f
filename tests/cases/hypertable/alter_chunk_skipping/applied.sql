SELECT array_agg(s.column_name::text ORDER BY s.column_name) = '{batch,order_id}'
  FROM _timescaledb_catalog.chunk_column_stats s
  JOIN _timescaledb_catalog.hypertable h ON h.id = s.hypertable_id
 WHERE h.table_name = 'trades' AND coalesce(s.chunk_id, 0) = 0;
