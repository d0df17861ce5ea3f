SELECT segmentby = '{symbol}', orderby = '{price,time}', orderby_desc = '{f,t}'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
SELECT config ->> 'compress_after' = '7 days'
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
