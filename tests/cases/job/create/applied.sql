SELECT proc_schema = 'public', proc_name = 'roll_up', schedule_interval = INTERVAL '1 hour', config = '{"keep": "30 days"}',
       scheduled, NOT fixed_schedule, max_retries = -1, COALESCE(check_name, '') = '', owner::text = current_user
  FROM public.actions;
SELECT count(*) = 1 FROM public.actions;
-- Before 2.20 a job has no name.
SELECT application_name IN ('roll_up_trades [' || id || ']', 'User-Defined Action [' || id || ']') FROM public.actions;
