SELECT config ->> 'compress_after' = '7 days', config -> 'maxchunks_to_compress' = '3', max_retries = 7, fixed_schedule,
       schedule_interval = INTERVAL '2 days', max_runtime = INTERVAL '3 hours'
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
SELECT timezone = 'Europe/Berlin' FROM public.zones WHERE proc_name = 'policy_compression';
