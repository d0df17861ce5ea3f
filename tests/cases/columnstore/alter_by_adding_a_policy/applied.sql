SELECT config ->> 'compress_after' = '7 days', schedule_interval = INTERVAL '6 hours', max_retries = 5, fixed_schedule
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_compression' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
SELECT timezone = 'Europe/Berlin' FROM public.zones WHERE proc_name = 'policy_compression';
