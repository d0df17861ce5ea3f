-- What the server knows of some parameters, and where they are set: one row a find, `what` says of
-- which sort. $1 text[]: the parameters' names in lower case · $2 text[]: roles · $3 bigint: 1 where
-- the configuration files may be read. With 0 the planner drops the call of the function that reads
-- them, and nobody is asked for the privilege; the view pg_file_settings would ask.
WITH known AS MATERIALIZED (
  SELECT pg_catalog.lower(s.name) AS name, s.vartype, s.reset_val, s.boot_val, s.unit, s.min_val, s.max_val,
         s.context, s.source, s.enumvals, s.pending_restart
    FROM pg_catalog.pg_settings AS s
   WHERE pg_catalog.lower(s.name) = ANY ($1::text[])
), files AS MATERIALIZED (
  SELECT pg_catalog.lower(f.name) AS name, f.setting, f.seqno, f.error, f.sourcefile, f.sourceline
    FROM pg_catalog.pg_show_all_file_settings() AS f
   WHERE $3::bigint = 1
), last AS (
  SELECT DISTINCT ON (f.name) f.name, f.setting, f.sourcefile, f.sourceline,
         f.sourcefile ~ '(^|/)postgresql\.auto\.conf$' AS automatic
    FROM files AS f
   WHERE f.name = ANY ($1::text[])
   ORDER BY f.name, f.seqno DESC
), scopes AS (
  SELECT s.setdatabase <> 0 AS in_database, r.rolname::text AS role, s.setconfig
    FROM pg_catalog.pg_db_role_setting AS s
    LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
   WHERE (s.setdatabase = 0 OR s.setdatabase = (SELECT d.oid FROM pg_catalog.pg_database AS d
                                                 WHERE d.datname = pg_catalog.current_database()))
     AND (s.setrole = 0 OR r.oid IS NOT NULL)
)
SELECT 'server' AS what, NULL::text AS name, NULL::text AS type,
       (SELECT a.setting FROM pg_catalog.pg_settings AS a WHERE a.name = 'allow_alter_system') AS value,
       NULL::text AS other, NULL::text AS unit, NULL::text AS least, NULL::text AS most, NULL::text AS context,
       (SELECT pg_catalog.string_agg(DISTINCT f.error, '; ') FROM files AS f
         WHERE f.error IS NOT NULL AND f.name IS NULL) AS source,
       CASE WHEN EXISTS (SELECT FROM pg_catalog.unnest($1::text[]) AS w (name)
                          WHERE w.name NOT IN (SELECT known.name FROM known))
            THEN (SELECT pg_catalog.array_agg(a.name ORDER BY a.name) FROM pg_catalog.pg_settings AS a)
       END AS words,
       NULL::bool AS flag, NULL::bool AS other_flag
UNION ALL
SELECT 'parameter', k.name, k.vartype, k.reset_val, k.boot_val, k.unit, k.min_val, k.max_val, k.context, k.source,
       k.enumvals, k.pending_restart, NULL
  FROM known AS k
UNION ALL
SELECT 'file', l.name, NULL, l.setting, l.sourcefile || ':' || l.sourceline, NULL, NULL, NULL, NULL, NULL, NULL,
       l.automatic, NULL
  FROM last AS l
UNION ALL
SELECT 'scope', pg_catalog.lower(pg_catalog.split_part(c.entry, '=', 1)), NULL,
       pg_catalog.substr(c.entry, pg_catalog.strpos(c.entry, '=') + 1), s.role, NULL, NULL, NULL, NULL, NULL, NULL,
       s.in_database, NULL
  FROM scopes AS s
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (entry)
 WHERE pg_catalog.lower(pg_catalog.split_part(c.entry, '=', 1)) = ANY ($1::text[])
UNION ALL
SELECT 'role', r.rolname::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, r.rolsuper, NULL
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = ANY ($2::text[])
