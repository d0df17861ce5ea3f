SELECT index @> '[{"source": "config"}]', NOT index @> '[{"source": "config", "type": "minmax"}]'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
