SELECT array_agg(s.column_name::text ORDER BY s.column_name) = '{order_id,settled}'
  FROM _timescaledb_catalog.chunk_column_stats s
  JOIN _timescaledb_catalog.hypertable h ON h.id = s.hypertable_id
 WHERE h.table_name = 'trades' AND coalesce(s.chunk_id, 0) = 0;
SELECT current_setting('timescaledb.enable_chunk_skipping') = 'off';
