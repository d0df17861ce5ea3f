SELECT NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'role Maker');
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'role_reader');
SELECT NOT EXISTS (SELECT FROM pg_default_acl);
