SELECT has_table_privilege('moved_down', 'app.a', 'SELECT'), NOT has_table_privilege('moved_down', 'app.a', 'INSERT'),
       NOT has_table_privilege('moved_down', 'app.b', 'SELECT, INSERT'), NOT has_table_privilege('moved_down', 'app.v', 'SELECT, INSERT'),
       has_sequence_privilege('moved_down', 'app.s', 'USAGE'), NOT has_sequence_privilege('moved_down', 'app.s', 'SELECT'),
       NOT has_sequence_privilege('moved_down', 'app.t', 'USAGE, SELECT'), has_function_privilege('moved_down', 'app.f(integer, timestamptz)', 'EXECUTE'),
       NOT has_function_privilege('moved_down', 'app.g()', 'EXECUTE'), NOT has_function_privilege('moved_down', 'app.p()', 'EXECUTE');
SELECT has_table_privilege('moved_down_others', 'app.a', 'SELECT'), NOT has_table_privilege('moved_down_others', 'app.a', 'SELECT WITH GRANT OPTION'),
       has_table_privilege('moved_down_others', 'app.b', 'SELECT WITH GRANT OPTION'), NOT has_table_privilege('moved_down_others', 'app.v', 'SELECT'),
       has_table_privilege('moved_down_others', 'app.a', 'UPDATE'), NOT has_table_privilege('moved_down_others', 'app.b', 'UPDATE'),
       has_table_privilege('moved_down_others', 'app.a', 'DELETE'), has_table_privilege('moved_down_others', 'app.v', 'DELETE');
