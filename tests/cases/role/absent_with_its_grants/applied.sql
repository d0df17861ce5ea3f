SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'role_leaving');
SELECT count(*) = 0 FROM pg_class WHERE relacl::text ~ 'role_leaving';
SELECT count(*) = 0 FROM pg_auth_members WHERE member = 'role_team'::regrole;
