SELECT has_table_privilege('moved_new', 'app.late', 'SELECT'), has_table_privilege('moved_new', 'app.late', 'INSERT'),
       has_table_privilege('moved_new', 'app.a', 'SELECT'), has_table_privilege('moved_new', 'app.b', 'SELECT'),
       NOT has_table_privilege('moved_new', 'app.a', 'INSERT'), NOT has_table_privilege('moved_new', 'app.c', 'SELECT, INSERT'),
       has_sequence_privilege('moved_new', 'app.late_s', 'USAGE'), NOT has_sequence_privilege('moved_new', 'app.s', 'USAGE');
SELECT has_table_privilege('moved_new_exclusive', 'app.late', 'INSERT'), NOT has_table_privilege('moved_new_exclusive', 'app.a', 'INSERT'),
       has_table_privilege('moved_new_option', 'app.late', 'SELECT WITH GRANT OPTION'),
       has_table_privilege('moved_new_option', 'app.a', 'SELECT'), NOT has_table_privilege('moved_new_option', 'app.a', 'SELECT WITH GRANT OPTION');
SELECT has_table_privilege('moved_new_absent', 'app.b', 'DELETE'), has_table_privilege('moved_new_absent', 'app.late', 'DELETE'),
       NOT has_table_privilege('moved_new_absent', 'app.a', 'DELETE'), NOT has_table_privilege('moved_new_absent', 'app.c', 'DELETE');
