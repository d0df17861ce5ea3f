SELECT NOT has_table_privilege('anew_absent', 'public.trades', 'SELECT'), NOT has_table_privilege('anew_absent', 'public.hourly', 'SELECT'),
       NOT has_table_privilege('anew_absent_one', 'public.hourly', 'SELECT'),
       NOT has_table_privilege('anew_down', 'public.trades', 'SELECT, INSERT'), has_table_privilege('anew_down', 'public.hourly', 'SELECT'),
       NOT has_table_privilege('anew_down', 'public.hourly', 'INSERT');
SELECT has_table_privilege('anew_exclusive', 'public.trades', 'SELECT'), has_table_privilege('anew_exclusive', 'public.hourly', 'SELECT'),
       NOT has_table_privilege('anew_exclusive', 'public.trades', 'INSERT, UPDATE'), NOT has_table_privilege('anew_exclusive', 'public.hourly', 'INSERT, UPDATE');
SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'anew_goes');
SELECT has_table_privilege('anew_one_out', 'public.trades', 'SELECT'), NOT has_table_privilege('anew_one_out', 'public.hourly', 'SELECT'),
       NOT has_table_privilege('anew_out', 'public.trades', 'SELECT'), NOT has_table_privilege('anew_out', 'public.hourly', 'SELECT'),
       has_table_privilege('anew_up', 'public.trades', 'SELECT'), has_table_privilege('anew_up', 'public.hourly', 'SELECT');
