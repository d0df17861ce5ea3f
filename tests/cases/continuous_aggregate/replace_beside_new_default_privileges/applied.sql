SELECT NOT has_table_privilege('given_from_now_on', 'public.hourly', 'SELECT'), has_table_privilege('given_from_now_on', 'public.daily', 'SELECT');
