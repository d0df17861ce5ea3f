SELECT to_regclass('public.hourly') IS NULL, has_table_privilege('with_it_down', 'public.trades', 'SELECT'), NOT has_table_privilege('with_it_down', 'public.trades', 'INSERT');
SELECT count(*) = 0 FROM pg_shdepend WHERE refobjid = 'with_it_out'::regrole;
