SELECT has_database_privilege('grant_reader', current_database(), 'CONNECT'), has_schema_privilege('grant_reader', 'app', 'USAGE'),
       NOT has_schema_privilege('grant_reader', 'app', 'CREATE');
SELECT has_table_privilege('grant_reader', c.oid, 'SELECT') FROM pg_class AS c WHERE c.relnamespace = 'app'::regnamespace AND c.relkind IN ('r', 'v');
SELECT has_table_privilege('grant_reader', 'app.a', 'INSERT WITH GRANT OPTION'), NOT has_table_privilege('grant_reader', 'app.b', 'INSERT'),
       has_sequence_privilege('grant_reader', 'app.s', 'USAGE'), has_function_privilege('grant_reader', 'app.f(int, timestamptz)', 'EXECUTE');
SELECT pg_has_role('grant_reader', 'grant_group', 'MEMBER');
SELECT admin_option FROM pg_auth_members WHERE roleid = 'pg_read_all_settings'::regrole AND member = 'grant_reader'::regrole;
SELECT defaclacl::text LIKE '%grant_reader=r/grant_migrator%' FROM pg_default_acl WHERE defaclrole = 'grant_migrator'::regrole;
