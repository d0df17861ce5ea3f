SELECT id = 1000, COALESCE(check_name, '') = '' FROM public.actions;
