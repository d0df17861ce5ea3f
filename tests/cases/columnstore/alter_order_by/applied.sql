SELECT segmentby = '{symbol}', orderby = '{price,time}', orderby_desc = '{f,t}', orderby_nullsfirst = '{f,f}'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
