SELECT has_table_privilege('grant_owner', 'app.a', 'SELECT'), has_table_privilege('grant_owner', 'app.a', 'DELETE'), has_table_privilege('grant_owner', 'app.c', 'SELECT');
SELECT has_table_privilege('grant_owner', 'app.b', 'SELECT'), NOT has_table_privilege('grant_owner', 'app.b', 'INSERT');
