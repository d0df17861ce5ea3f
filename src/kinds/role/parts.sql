-- What TimescaleDB keeps of each hypertable and aggregate, with the name that it is granted by.
  WITH wholes (id, schema, name, whole_schema, whole) AS (
    SELECT h.id, h.schema_name, h.table_name, COALESCE(a.user_view_schema, u.schema_name), COALESCE(a.user_view_name, u.table_name)
      FROM _timescaledb_catalog.hypertable AS h
      LEFT JOIN _timescaledb_catalog.hypertable AS b ON b.compressed_hypertable_id = h.id
      JOIN _timescaledb_catalog.hypertable AS u ON u.id = COALESCE(b.id, h.id)
      LEFT JOIN _timescaledb_catalog.continuous_agg AS a ON a.mat_hypertable_id = u.id
  )
  SELECT k.schema_name, k.table_name, w.whole_schema, w.whole
    FROM _timescaledb_catalog.chunk AS k
    JOIN wholes AS w ON w.id = k.hypertable_id
   UNION ALL
  SELECT w.schema, w.name, w.whole_schema, w.whole
    FROM wholes AS w
   WHERE (w.schema, w.name) <> (w.whole_schema, w.whole)
   UNION ALL
  SELECT v.schema, v.name, a.user_view_schema, a.user_view_name
    FROM _timescaledb_catalog.continuous_agg AS a
   CROSS JOIN LATERAL (VALUES (a.partial_view_schema, a.partial_view_name),
                              (a.direct_view_schema, a.direct_view_name)) AS v (schema, name)
