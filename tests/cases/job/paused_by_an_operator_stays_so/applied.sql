SELECT id = 1000, NOT scheduled, schedule_interval = INTERVAL '2 hours' FROM public.actions;
