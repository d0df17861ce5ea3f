SELECT segmentby = '{}'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
