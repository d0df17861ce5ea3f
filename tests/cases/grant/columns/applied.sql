SELECT has_table_privilege('grant_columns', 'app.a', 'SELECT'), NOT has_any_column_privilege('grant_columns', 'app.a', 'UPDATE');
SELECT has_table_privilege('grant_columns', 'app.b', 'SELECT'), has_column_privilege('grant_columns', 'app.b', 'id', 'INSERT');
SELECT has_table_privilege('grant_columns', 'app.c', 'SELECT');
