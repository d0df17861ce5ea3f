-- What is granted otherwise than the server and its extensions grant it: one row a thing and grantee
-- (null for everybody). What an owner has of its own is left out. What the server's own roles are granted is
-- told in words: no policy describes them.
-- The chunks of a hypertable and what an aggregate's rows are in have what their table has.
WITH schemas AS MATERIALIZED (
  SELECT n.oid, n.nspname::text AS name, n.nspowner AS owner, n.nspacl AS acl,
         pg_catalog.starts_with(n.nspname::text, '_timescaledb_') AS internal
    FROM pg_catalog.pg_namespace AS n
   WHERE NOT pg_catalog.starts_with(n.nspname::text, 'pg_toast')
     AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_temp_')
     AND n.nspname <> 'information_schema'
), extended AS MATERIALIZED (
  SELECT d.classid, d.objid
    FROM pg_catalog.pg_depend AS d
   WHERE d.deptype = 'e'
), things AS MATERIALIZED (
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS sort, s.name AS schema, c.relname::text AS name,
         NULL::text AS arguments, 'pg_catalog.pg_class'::regclass::oid AS class, c.oid, 0 AS part, c.relowner AS owner,
         c.relacl AS acl, pg_catalog.acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner) AS standard
    FROM pg_catalog.pg_class AS c
    JOIN schemas AS s ON s.oid = c.relnamespace
   WHERE c.relacl IS NOT NULL AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
     AND (NOT s.internal OR c.oid IN (SELECT e.objid FROM extended AS e WHERE e.classid = 'pg_catalog.pg_class'::regclass))
   UNION ALL
  -- A column's privileges are its table's to tell.
  SELECT 'table', s.name, c.relname, NULL, 'pg_catalog.pg_class'::regclass, c.oid, a.attnum, c.relowner, a.attacl,
         NULL::aclitem[]
    FROM pg_catalog.pg_attribute AS a
    JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
    JOIN schemas AS s ON s.oid = c.relnamespace
   WHERE a.attacl IS NOT NULL AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
     AND (NOT s.internal OR c.oid IN (SELECT e.objid FROM extended AS e WHERE e.classid = 'pg_catalog.pg_class'::regclass))
   UNION ALL
  SELECT 'function', s.name, p.proname,
         (SELECT COALESCE(pg_catalog.string_agg(pg_catalog.format_type(a.type, NULL), ', ' ORDER BY a.at), '')
            FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS a (type, at)),
         'pg_catalog.pg_proc'::regclass, p.oid, 0, p.proowner, p.proacl, pg_catalog.acldefault('f', p.proowner)
    FROM pg_catalog.pg_proc AS p
    JOIN schemas AS s ON s.oid = p.pronamespace
   WHERE p.proacl IS NOT NULL
     AND (NOT s.internal OR p.oid IN (SELECT e.objid FROM extended AS e WHERE e.classid = 'pg_catalog.pg_proc'::regclass))
   UNION ALL
  SELECT 'schema', s.name, NULL, NULL, 'pg_catalog.pg_namespace'::regclass, s.oid, 0, s.owner, s.acl,
         pg_catalog.acldefault('n', s.owner)
    FROM schemas AS s
   WHERE s.acl IS NOT NULL
   UNION ALL
  SELECT 'database', NULL, NULL, NULL, 'pg_catalog.pg_database'::regclass, d.oid, 0, d.datdba, d.datacl,
         pg_catalog.acldefault('d', d.datdba)
    FROM pg_catalog.pg_database AS d
   WHERE d.datname = pg_catalog.current_database() AND d.datacl IS NOT NULL
   UNION ALL
  SELECT 'later', n.nspname, k.what, pg_catalog.pg_get_userbyid(d.defaclrole), 'pg_catalog.pg_default_acl'::regclass,
         d.oid, 0, d.defaclrole, d.defaclacl,
         -- In a schema, it is what is granted beside that of all schemas.
         CASE d.defaclnamespace WHEN 0 THEN pg_catalog.acldefault(k.letter::"char", d.defaclrole) END
    FROM pg_catalog.pg_default_acl AS d
    JOIN (VALUES ('r', 'r', 'tables'), ('S', 's', 'sequences'), ('f', 'f', 'functions'), ('T', 'T', 'types'),
                 ('n', 'n', 'schemas')) AS k (code, letter, what) ON k.code = d.defaclobjtype::text
    LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
   UNION ALL
  SELECT 'other', NULL, NULL, NULL, o.class, o.oid, 0, o.owner, o.acl, pg_catalog.acldefault(o.letter::"char", o.owner)
    FROM (SELECT 'pg_catalog.pg_type'::regclass::oid, t.oid, t.typowner, t.typacl, 'T' FROM pg_catalog.pg_type AS t
           UNION ALL
          SELECT 'pg_catalog.pg_language'::regclass, l.oid, l.lanowner, l.lanacl, 'l' FROM pg_catalog.pg_language AS l
           UNION ALL
          SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass, f.oid, f.fdwowner, f.fdwacl, 'F'
            FROM pg_catalog.pg_foreign_data_wrapper AS f
           UNION ALL
          SELECT 'pg_catalog.pg_foreign_server'::regclass, s.oid, s.srvowner, s.srvacl, 'S'
            FROM pg_catalog.pg_foreign_server AS s
           UNION ALL
          SELECT 'pg_catalog.pg_largeobject'::regclass, m.oid, m.lomowner, m.lomacl, 'L'
            FROM pg_catalog.pg_largeobject_metadata AS m
           UNION ALL
          SELECT 'pg_catalog.pg_tablespace'::regclass, t.oid, t.spcowner, t.spcacl, 't' FROM pg_catalog.pg_tablespace AS t
           UNION ALL
          {parameters}) AS o (class, oid, owner, acl, letter)
   WHERE o.acl IS NOT NULL
), held AS MATERIALIZED (
  SELECT t.class, t.oid, t.part, a.grantee, a.privilege_type AS privilege, pg_catalog.bool_or(a.is_grantable) AS grantable
    FROM things AS t
   CROSS JOIN LATERAL pg_catalog.aclexplode(t.acl) AS a
   WHERE a.grantee <> t.owner
   GROUP BY 1, 2, 3, 4, 5
), initial AS MATERIALIZED (
  SELECT t.class, t.oid, t.part, a.grantee, a.privilege_type AS privilege, pg_catalog.bool_or(a.is_grantable) AS grantable
    FROM things AS t
    LEFT JOIN pg_catalog.pg_init_privs AS i ON i.classoid = t.class AND i.objoid = t.oid AND i.objsubid = t.part
   CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(i.initprivs, t.standard)) AS a
   -- Whoever grants to itself was the owner then.
   WHERE a.grantee <> t.owner AND a.grantee <> a.grantor
   GROUP BY 1, 2, 3, 4, 5
), differs AS (
  SELECT h.class, h.oid, h.part, h.grantee, h.privilege, true AS given FROM (TABLE held EXCEPT TABLE initial) AS h
   UNION ALL
  SELECT i.class, i.oid, i.part, i.grantee, i.privilege, false FROM (TABLE initial EXCEPT TABLE held) AS i
)
SELECT s.sort, t.schema, t.name, t.arguments, r.rolname::text AS grantee,
       CASE WHEN s.sort = 'other'
            THEN pg_catalog.lower(pg_catalog.string_agg(d.privilege, ', ' ORDER BY d.privilege)) || ' on '
                 || pg_catalog.pg_describe_object(t.class, t.oid, s.part) || CASE WHEN d.given THEN '' ELSE ' (revoked)' END
       END AS other
  FROM differs AS d
  JOIN things AS t ON t.class = d.class AND t.oid = d.oid AND t.part = d.part
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = d.grantee
 CROSS JOIN LATERAL (SELECT CASE WHEN pg_catalog.starts_with(r.rolname::text, 'pg_') THEN 'other' ELSE t.sort END,
                            CASE WHEN pg_catalog.starts_with(r.rolname::text, 'pg_') THEN t.part ELSE 0 END) AS s (sort, part)
 GROUP BY s.sort, t.schema, t.name, t.arguments, t.class, t.oid, s.part, r.rolname, d.given
UNION ALL
SELECT 'other', NULL, NULL, NULL, m.rolname::text, 'membership in ' || pg_catalog.quote_ident(r.rolname)
  FROM pg_catalog.pg_auth_members AS a
  JOIN pg_catalog.pg_roles AS r ON r.oid = a.roleid AND NOT pg_catalog.starts_with(r.rolname::text, 'pg_')
  JOIN pg_catalog.pg_roles AS m ON m.oid = a.member AND pg_catalog.starts_with(m.rolname::text, 'pg_')
UNION ALL
SELECT 'member', NULL, r.rolname::text, NULL, m.rolname::text, NULL
  FROM pg_catalog.pg_auth_members AS a
  JOIN pg_catalog.pg_roles AS r ON r.oid = a.roleid
  JOIN pg_catalog.pg_roles AS m ON m.oid = a.member
 WHERE NOT pg_catalog.starts_with(m.rolname::text, 'pg_')
