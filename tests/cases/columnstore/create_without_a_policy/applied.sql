SELECT segmentby = '{symbol,venue}'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
SELECT count(*) = 0 FROM timescaledb_information.jobs WHERE proc_name = 'policy_compression';
