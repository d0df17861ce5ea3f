SELECT rolcanlogin, rolcreatedb, NOT rolsuper, rolconnlimit = 20, rolvaliduntil = '2030-01-01 00:00:00+00',
       shobj_description(oid, 'pg_authid') = 'Dashboards, read-only'
  FROM pg_roles WHERE rolname = 'role_create';
