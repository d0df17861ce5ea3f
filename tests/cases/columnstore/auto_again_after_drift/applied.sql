SELECT segmentby IS NULL AND orderby = '{time}' AND NOT COALESCE(index::text LIKE '%bloom%', false)
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
