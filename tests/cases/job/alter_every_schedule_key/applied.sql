SELECT id = 1000, schedule_interval = INTERVAL '12 hours', fixed_schedule, timezone = 'Europe/Berlin',
       initial_start = timestamptz '2100-01-01 02:30:00+00', max_runtime = INTERVAL '1 hour', max_retries = 5,
       retry_period = INTERVAL '10 minutes', NOT scheduled
  FROM public.actions;
