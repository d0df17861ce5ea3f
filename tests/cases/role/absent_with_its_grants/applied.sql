SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'role_leaving');
SELECT bool_and(relacl::text !~ 'role_leaving') FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relacl IS NOT NULL;
