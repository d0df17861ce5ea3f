SELECT NOT rolcanlogin, rolcreatedb, NOT rolcreaterole, NOT rolinherit, rolreplication, rolbypassrls, rolconnlimit = 3,
       COALESCE(rolvaliduntil = 'infinity', true), shobj_description(oid, 'pg_authid') IS NULL
  FROM pg_roles WHERE rolname = 'role_alter';
