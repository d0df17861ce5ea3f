SELECT schedule_interval = INTERVAL '1 day', fixed_schedule, initial_start = timestamptz '2100-01-01 02:30:00+00',
       timezone = 'Europe/Berlin', max_runtime = INTERVAL '1 hour', max_retries = 5,
       retry_period = INTERVAL '10 minutes', NOT scheduled, check_schema = 'public', check_name = 'check_it',
       config = '{"keep": "30 days", "factor": 1.5, "limits": {"rows": 1000000, "per": ["a", "b", null, true]}}'
  FROM public.actions;
SELECT count(*) = 1 FROM public.actions;
