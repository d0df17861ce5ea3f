SELECT id = 1000, check_schema = 'public', check_name = 'check_it' FROM public.actions;
