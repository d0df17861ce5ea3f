-- What a role that is no superuser may set. $1 text[]: parameters · $2 text[]: roles. PostgreSQL 15 and newer.
SELECT 'server' AS what, NULL::text AS name,
       pg_catalog.has_function_privilege('pg_catalog.pg_reload_conf()', 'EXECUTE') AS may_reload,
       (SELECT pg_catalog.pg_has_role(d.datdba, 'USAGE') FROM pg_catalog.pg_database AS d
         WHERE d.datname = pg_catalog.current_database()) AS may_set
UNION ALL
SELECT 'parameter', p.name, pg_catalog.has_parameter_privilege(p.name, 'ALTER SYSTEM'),
       pg_catalog.has_parameter_privilege(p.name, 'SET')
  FROM pg_catalog.unnest($1::text[]) AS p (name)
UNION ALL
SELECT 'role', r.rolname::text, NULL,
       r.rolname = current_user
       OR (me.rolcreaterole AND NOT r.rolsuper
           AND (pg_catalog.current_setting('server_version_num')::int < 160000
                OR EXISTS (SELECT FROM pg_catalog.pg_auth_members AS m
                            WHERE m.roleid = r.oid AND m.admin_option AND pg_catalog.pg_has_role(m.member, 'USAGE'))))
  FROM pg_catalog.pg_roles AS r
  JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
 WHERE r.rolname = ANY ($2::text[])
