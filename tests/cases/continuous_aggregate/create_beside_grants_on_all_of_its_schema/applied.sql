SELECT has_table_privilege('joined_reader', t, 'SELECT'), has_table_privilege('joined_reader', t, 'INSERT'),
       has_table_privilege('joined_option', t, 'SELECT WITH GRANT OPTION'), has_table_privilege('joined_later', t, 'SELECT'),
       NOT has_table_privilege('joined_later', t, 'SELECT WITH GRANT OPTION')
  FROM unnest('{public.trades,public.hourly,public.daily}'::text[]) AS t;
