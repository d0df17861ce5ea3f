SELECT id = 1000, schedule_interval = INTERVAL '2 hours', timezone = 'Europe/Berlin' FROM public.actions;
