SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'role_later');
SELECT count(*) = 2 AND bool_and(relacl::text = '{postgres=arwdDxt/postgres}') FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relkind = 'r';
SELECT NOT EXISTS (SELECT FROM pg_default_acl);
