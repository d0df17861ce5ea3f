SELECT fixed_schedule, initial_start IS NOT NULL FROM public.actions;
