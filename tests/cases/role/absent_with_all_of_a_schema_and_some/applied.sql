SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'role_leaves_all');
SELECT count(*) = 0 FROM pg_class WHERE relacl::text ~ 'role_leaves_all';
