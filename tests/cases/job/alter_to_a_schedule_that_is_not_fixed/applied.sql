SELECT id = 1000, NOT fixed_schedule FROM public.actions;
