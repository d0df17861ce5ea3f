SELECT id = 1000, schedule_interval = INTERVAL '2 hours' FROM public.actions;
-- Before 2.20 a job has no name.
SELECT application_name = 'roll_up_trades [1000]' OR pg_get_function_arguments('add_job'::regproc) NOT LIKE '%job_name%'
  FROM public.actions;
