SELECT index @> '[{"type": "minmax", "column": "price", "source": "config"}, {"type": "bloom", "column": "venue", "source": "config"}]'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
