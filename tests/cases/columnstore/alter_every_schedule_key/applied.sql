SELECT segmentby = '{symbol,venue}', orderby = '{time,volume}', orderby_desc = '{t,f}', orderby_nullsfirst = '{f,t}',
       index @> '[{"type": "minmax", "column": "price", "source": "config"}]'
  FROM _timescaledb_catalog.compression_settings WHERE relid = 'public.trades'::regclass;
SELECT config ->> 'compress_after' = '7 days', schedule_interval = INTERVAL '6 hours', fixed_schedule,
       initial_start = timestamptz '2100-01-01 02:30:00+00', max_runtime = INTERVAL '2 hours', max_retries = 5,
       retry_period = INTERVAL '10 minutes', NOT scheduled
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
SELECT timezone = 'Europe/Berlin' FROM public.zones WHERE proc_name = 'policy_compression';
