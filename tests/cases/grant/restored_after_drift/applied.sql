SELECT has_table_privilege('grant_drift', c.oid, 'SELECT') FROM pg_class AS c WHERE c.relnamespace = 'app'::regnamespace AND c.relkind IN ('r', 'v');
SELECT has_schema_privilege('grant_drift', 'app', 'USAGE WITH GRANT OPTION'), has_table_privilege('grant_drift', 'app.a', 'INSERT'),
       NOT has_table_privilege('grant_drift', 'app.a', 'INSERT WITH GRANT OPTION');
