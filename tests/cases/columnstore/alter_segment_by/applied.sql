SELECT segmentby = '{venue,symbol}', orderby = '{time}'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
