SELECT orderby_nullsfirst = '{f}'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
