SELECT id = 1000, config = '{"keep": "30 days"}', schedule_interval = INTERVAL '1 hour' FROM public.actions;
