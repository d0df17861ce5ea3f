SELECT rolcanlogin, shobj_description(oid, 'pg_authid') = 'it''s; DROP TABLE t; --', has_table_privilege(oid, 'public.t', 'SELECT')
  FROM pg_roles WHERE rolname = 'Odd"role''x;--';
