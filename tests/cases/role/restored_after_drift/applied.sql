SELECT rolcanlogin, rolconnlimit = 5, rolsuper, shobj_description(oid, 'pg_authid') = 'ours' FROM pg_roles WHERE rolname = 'role_drift';
