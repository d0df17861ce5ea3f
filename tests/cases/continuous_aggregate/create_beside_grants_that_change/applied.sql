SELECT has_table_privilege('new_exclusive', t, 'SELECT'), has_table_privilege('new_exclusive', t, 'UPDATE'),
       NOT has_table_privilege('new_exclusive', t, 'INSERT'), has_table_privilege('new_less', t, 'SELECT'),
       NOT has_table_privilege('new_less', t, 'INSERT'), has_table_privilege('new_option', t, 'SELECT'),
       NOT has_table_privilege('new_option', t, 'SELECT WITH GRANT OPTION'), has_table_privilege('new_option', t, 'INSERT WITH GRANT OPTION')
  FROM unnest('{public.trades,public.hourly}'::text[]) AS t;
SELECT has_table_privilege('new_revoked', 'public.hourly', 'SELECT'), NOT has_table_privilege('new_revoked', 'public.hourly', 'INSERT');
