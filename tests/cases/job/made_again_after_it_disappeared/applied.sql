SELECT id = 1001, config = '{"keep": "30 days"}' FROM public.actions;
