SELECT set_integer_now_func('public.ticks', 'public.other_now', replace_if_exists => true);
