SELECT count(*) = 1, bool_and(config = '{"keep": "7 days"}') FROM public.actions;
