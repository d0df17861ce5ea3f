SELECT orderby = '{price,time}', orderby_desc = '{t,t}', orderby_nullsfirst = '{t,t}'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
