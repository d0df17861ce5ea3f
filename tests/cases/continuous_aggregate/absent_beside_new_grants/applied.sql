SELECT to_regclass('public.hourly') IS NULL, has_table_privilege('beside_new', 'public.trades', 'SELECT'),
       has_table_privilege('beside_wider', 'public.trades', 'SELECT'), has_table_privilege('beside_wider', 'public.trades', 'INSERT');
