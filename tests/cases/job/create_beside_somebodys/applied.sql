SELECT count(*) = 2 FROM public.actions;
SELECT schedule_interval = INTERVAL '3 hours' FROM public.actions WHERE proc_name = 'other';
