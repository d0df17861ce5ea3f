SELECT NOT has_table_privilege('only_what_is_listed', 'public.hourly', 'SELECT, UPDATE'), has_table_privilege('only_what_is_listed', 'public.hourly', 'INSERT');
