SELECT has_table_privilege('by_name', 'app.a', 'INSERT'), NOT has_table_privilege('by_name', 'app.b', 'INSERT'), NOT has_table_privilege('by_name', 'app.v', 'INSERT'),
       has_table_privilege('by_name', 'app.a', 'SELECT'), has_table_privilege('by_name', 'app.b', 'SELECT'), NOT has_table_privilege('by_name', 'app.a', 'DELETE');
SELECT has_table_privilege('by_name_of_all', 'app.a', 'SELECT'), NOT has_table_privilege('by_name_of_all', 'app.a', 'INSERT'),
       NOT has_table_privilege('by_name_of_all', 'app.a', 'DELETE'), has_table_privilege('by_name_of_all', 'app.b', 'DELETE');
SELECT has_table_privilege('by_name_not_all', 'app.a', 'INSERT WITH GRANT OPTION'), has_table_privilege('by_name_not_all', 'app.a', 'SELECT WITH GRANT OPTION'),
       NOT has_table_privilege('by_name_not_all', 'app.b', 'INSERT'), has_table_privilege('by_name_not_all', 'app.b', 'SELECT'),
       NOT has_table_privilege('by_name_not_all', 'app.b', 'SELECT WITH GRANT OPTION');
