-- What the server knows of extensions that are to be created, changed or dropped: one row a find,
-- `what` says of which sort. What is not asked for costs nothing: looking for available extensions
-- reads the server's disk.
--   $1 text[]: to create · $2, $3, $4 text[]: to update, from which version, to which
--   $5 text[]: schemas to put one into · $6 text[]: to drop
WITH wanted AS MATERIALIZED (
  SELECT pg_catalog.unnest($1::text[]) AS name
   UNION
  SELECT pg_catalog.unnest($2::text[])
), updates AS MATERIALIZED (
  SELECT w.name, w.source, w.target
    FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]), pg_catalog.unnest($4::text[]))
         AS w (name, source, target)
   WHERE pg_catalog.cardinality($2::text[]) > 0
     AND w.name IN (SELECT a.name FROM pg_catalog.pg_available_extensions() AS a)
), members AS MATERIALIZED (
  SELECT e.extname, d.classid, d.objid
    FROM pg_catalog.pg_extension AS e
    JOIN pg_catalog.pg_depend AS d
      ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
   WHERE e.extname = ANY ($6::text[])
), parts AS MATERIALIZED (
  SELECT m.extname, m.classid, m.objid FROM members AS m
   UNION
  SELECT m.extname, d.classid, d.objid
    FROM members AS m
    JOIN pg_catalog.pg_depend AS d ON d.refclassid = m.classid AND d.refobjid = m.objid AND d.deptype IN ('i', 'a')
)
SELECT 'server' AS what, NULL::text AS name, pg_catalog.current_database()::text AS other, NULL::text[] AS texts,
       NULL::int8 AS rows, NULL::int8 AS bytes,
       pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS flag,
       pg_catalog.current_setting('timescaledb.disable_load', true) IS NOT NULL AS other_flag
UNION ALL
SELECT 'available', a.name::text, a.default_version, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_available_extensions() AS a
 WHERE pg_catalog.cardinality($1::text[]) > 0
UNION ALL
SELECT 'version', v.name::text, v.version,
       (ARRAY[v.schema::text] || v.requires::text[]), NULL, NULL, v.superuser, v.trusted
  FROM pg_catalog.pg_available_extension_versions() AS v
 WHERE pg_catalog.cardinality($1::text[] || $2::text[]) > 0 AND v.name IN (SELECT wanted.name FROM wanted)
UNION ALL
SELECT 'installed', e.extname::text, e.extversion, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_extension AS e
UNION ALL
SELECT 'path', w.name, w.target, NULL, NULL, NULL, p.path IS NOT NULL, NULL
  FROM updates AS w, LATERAL pg_catalog.pg_extension_update_paths(w.name::name) AS p
 WHERE p.source = w.source AND p.target = w.target
UNION ALL
SELECT 'schema', n.nspname::text, NULL, NULL, NULL, NULL, pg_catalog.has_schema_privilege(n.oid, 'CREATE'), NULL
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname = ANY ($5::text[])
UNION ALL
SELECT 'table', m.extname::text, c.oid::regclass::text, NULL,
       greatest(c.reltuples::int8, pg_catalog.pg_stat_get_live_tuples(c.oid), 0),
       pg_catalog.pg_total_relation_size(c.oid), NULL, NULL
  FROM members AS m
  JOIN pg_catalog.pg_class AS c ON m.classid = 'pg_catalog.pg_class'::regclass AND c.oid = m.objid
 WHERE c.relkind IN ('r', 'p', 'm')
UNION ALL
SELECT DISTINCT 'dependent', p.extname::text, pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid),
       NULL::text[], NULL::int8, NULL::int8, NULL::bool, NULL::bool
  FROM parts AS p
  JOIN pg_catalog.pg_depend AS d ON d.refclassid = p.classid AND d.refobjid = p.objid AND d.deptype = 'n'
 WHERE NOT EXISTS (SELECT FROM parts AS q
                    WHERE q.extname = p.extname AND q.classid = d.classid AND q.objid = d.objid)
UNION ALL
SELECT 'dependent', e.extname::text, pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid),
       NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_depend AS d
    ON d.refclassid = 'pg_catalog.pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'n'
 WHERE e.extname = ANY ($6::text[])
