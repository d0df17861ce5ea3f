SELECT has_table_privilege('grant_out', 'app.a', 'SELECT'), NOT has_table_privilege('grant_out', 'app.a', 'INSERT'),
       has_table_privilege('grant_out', 'app.a', 'DELETE'), has_table_privilege('grant_out', 'app.v', 'SELECT'),
       NOT has_schema_privilege('grant_out', 'app', 'USAGE'), NOT pg_has_role('grant_out', 'pg_monitor', 'MEMBER');
