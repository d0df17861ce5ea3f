SELECT id = 1000, config = '{"keep": "30 days"}' FROM public.actions;
