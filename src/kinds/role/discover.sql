-- The roles of the server. Those that begin with pg_ are predefined.
SELECT r.rolname::text AS name
  FROM pg_catalog.pg_roles AS r
 WHERE NOT pg_catalog.starts_with(r.rolname::text, 'pg_')
 ORDER BY 1
