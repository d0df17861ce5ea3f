SELECT has_table_privilege('rest_absent', 'public.notes', 'DELETE'), has_table_privilege('rest_absent', 'public.trades', 'DELETE'),
       NOT has_table_privilege('rest_absent', 'public.hourly', 'DELETE'), NOT has_table_privilege('rest_absent', 'public.daily', 'DELETE'),
       has_table_privilege('rest_new', 'public.daily', 'DELETE'), NOT has_table_privilege('rest_new', 'public.hourly', 'DELETE'),
       NOT has_table_privilege('rest_new', 'public.trades', 'DELETE');
SELECT has_table_privilege('rest_less', t, 'SELECT'), has_table_privilege('rest_more', t, 'SELECT'), has_table_privilege('rest_revoked', t, 'SELECT')
  FROM unnest('{public.notes,public.trades,public.hourly,public.daily}'::text[]) AS t;
SELECT has_table_privilege('rest_less', 'public.trades', 'INSERT'), has_table_privilege('rest_less', 'public.trades', 'DELETE'),
       NOT has_table_privilege('rest_less', 'public.trades', 'UPDATE'), has_table_privilege('rest_more', 'public.trades', 'INSERT'),
       NOT has_table_privilege('rest_revoked', 'public.trades', 'INSERT'), NOT has_table_privilege('rest_revoked', 'public.hourly', 'INSERT'),
       has_table_privilege('rest_revoked', 'public.trades', 'UPDATE'), has_table_privilege('rest_revoked', 'public.trades', 'DELETE');
