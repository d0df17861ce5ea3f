SELECT rolsuper, rolbypassrls, pg_has_role('role_more', 'role_group', 'MEMBER') FROM pg_roles WHERE rolname = 'role_more';
