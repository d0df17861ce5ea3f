SELECT config ->> 'drop_after' = '90 days', config -> 'verbose_log' = 'true', max_retries = 7, fixed_schedule,
       schedule_interval = INTERVAL '2 days', initial_start = timestamptz '2100-01-01 00:00+00'
  FROM timescaledb_information.jobs
 WHERE proc_name = 'policy_retention' AND hypertable_schema = 'public' AND hypertable_name = 'trades';
SELECT timezone = 'Europe/Berlin' FROM public.zones WHERE proc_name = 'policy_retention';
