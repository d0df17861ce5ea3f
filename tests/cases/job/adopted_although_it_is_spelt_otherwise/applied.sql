SELECT id = 1000 FROM public.actions;
