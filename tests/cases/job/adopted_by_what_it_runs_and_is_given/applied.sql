SELECT id = 1000, schedule_interval = INTERVAL '1 hour' FROM public.actions;
-- Before 2.20 a job has no name.
SELECT application_name IN ('roll_up_trades [' || id || ']', 'User-Defined Action [' || id || ']') FROM public.actions;
