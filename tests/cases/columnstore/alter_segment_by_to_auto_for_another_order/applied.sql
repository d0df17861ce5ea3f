SELECT segmentby IS NULL AND orderby = '{symbol,time}' AND orderby_desc = '{f,t}'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
