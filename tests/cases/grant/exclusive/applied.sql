SELECT has_table_privilege('grant_exclusive', 'app.a', 'SELECT'), NOT has_table_privilege('grant_exclusive', 'app.a', 'INSERT, UPDATE, DELETE, TRUNCATE'),
       has_table_privilege('grant_other', 'app.a', 'DELETE'), has_table_privilege('grant_exclusive', 'app.b', 'DELETE');
