SELECT count(*) = 1, bool_and(proc_name = 'other'), bool_and(id = 1001), bool_and(config = '{"keep": "30 days"}') FROM public.actions;
SELECT NOT scheduled FROM public.actions;
