-- What jobs would run and be checked by. In step: $1 the schema and $2 the name of each routine, and $3
-- its arguments as `pg_proc` has them. $4 time zones.
SELECT 'routine'::text AS what, w.schema, w.name, w.arguments,
       p.oid IS NOT NULL AS found,
       COALESCE(pg_catalog.has_function_privilege(p.oid, 'EXECUTE'), false) AS executable,
       (SELECT pg_catalog.string_agg('(' || pg_catalog.pg_get_function_identity_arguments(o.oid) || ')', ' and '
                                     ORDER BY o.oid)
          FROM pg_catalog.pg_proc AS o
         WHERE o.pronamespace = n.oid AND o.proname = w.name AND p.oid IS NULL) AS others
  FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]))
       AS w (schema, name, arguments)
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
  LEFT JOIN pg_catalog.pg_proc AS p
         ON p.pronamespace = n.oid AND p.proname = w.name
        AND p.proargtypes = w.arguments::oidvector AND p.prokind IN ('f', 'p')
 UNION ALL
SELECT 'unknown time zone', NULL, z.name, NULL, false, false, NULL
  FROM pg_catalog.unnest($4::text[]) AS z (name)
 WHERE z.name !~ '[0-9]'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS t WHERE lower(t.name) = lower(z.name))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_abbrevs AS t WHERE lower(t.abbrev) = lower(z.name))
 ORDER BY 1, 2, 3, 4
