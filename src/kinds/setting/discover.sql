-- Where parameters are set, a row for each and each of them. What the server's own roles have is left
-- out. $1 bigint: 1 where the configuration files may be read, see observe.sql.
WITH files AS MATERIALIZED (
  SELECT pg_catalog.lower(f.name) AS name
    FROM pg_catalog.pg_show_all_file_settings() AS f
   WHERE $1::bigint = 1 AND f.name IS NOT NULL AND f.sourcefile ~ '(^|/)postgresql\.auto\.conf$'
)
SELECT DISTINCT 'server' AS level, NULL::text AS role, NULL::bool AS in_database, f.name
  FROM files AS f
UNION ALL
SELECT CASE WHEN s.setrole <> 0 THEN 'role' WHEN s.setdatabase <> 0 THEN 'database' ELSE 'every role' END,
       r.rolname::text, s.setdatabase <> 0, pg_catalog.lower(pg_catalog.split_part(c.entry, '=', 1))
  FROM pg_catalog.pg_db_role_setting AS s
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (entry)
 WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database AS d
                                               WHERE d.datname = pg_catalog.current_database()))
   AND (s.setrole = 0 OR NOT pg_catalog.starts_with(r.rolname::text, 'pg_'))
 ORDER BY 1, 2, 3, 4
