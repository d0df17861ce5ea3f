SELECT index @> '[{"type": "bloom", "column": "venue", "source": "config"}]', NOT index @> '[{"column": "price"}]'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
