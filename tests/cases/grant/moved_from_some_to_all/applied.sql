SELECT has_table_privilege('moved_up', 'app.a', 'SELECT'), has_table_privilege('moved_up', 'app.a', 'INSERT'),
       has_table_privilege('moved_up', 'app.v', 'SELECT'), has_sequence_privilege('moved_up', 'app.s', 'USAGE'),
       has_sequence_privilege('moved_up', 'app.t', 'USAGE'), has_function_privilege('moved_up', 'app.f(integer, timestamptz)', 'EXECUTE'),
       has_function_privilege('moved_up', 'app.p()', 'EXECUTE');
SELECT has_table_privilege('moved_up_others', 'app.a', 'SELECT'), has_table_privilege('moved_up_others', 'app.b', 'SELECT'),
       NOT has_table_privilege('moved_up_others', 'app.b', 'SELECT WITH GRANT OPTION'), has_table_privilege('moved_up_others', 'app.a', 'UPDATE'),
       NOT has_table_privilege('moved_up_others', 'app.a', 'DELETE'), NOT has_table_privilege('moved_up_others', 'app.v', 'DELETE');
