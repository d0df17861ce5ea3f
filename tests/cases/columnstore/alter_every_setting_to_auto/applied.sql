SELECT segmentby IS NULL AND orderby IS NULL AND orderby_desc IS NULL AND index IS NULL
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
