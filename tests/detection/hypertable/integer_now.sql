SELECT public.set_integer_now_func('public.events', 'public.other_now', replace_if_exists => true);
