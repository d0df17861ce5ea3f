-- What is granted on the named targets: one row a target and grantee, and one a target. All of it from the
-- access lists, with the server's defaults where an object has none.
--   $1, $2 text[]: tables and sequences, schema and name · $3 text[]: schemas that are meant as a whole
--   $4, $5 text[]: functions, schema and name · $6 text[]: schemas · $7 text[]: roles to be members of
--   $8 text[]: grantees, `public` among them where it is meant · $9 text[]: roles that make things later
-- What a role has of what it owns is left out: it needs no grant for it, and whoever counts on the owner
-- would be surprised by its loss.
--   $10, $11 text[]: the resources that are named, grantee and target: no other is to be read
--   $12 bigint: 1 where it is to be told as well what the server and its extensions grant by themselves;
--   otherwise it is told what the grantees have beyond that, on anything
WITH RECURSIVE parts (schema, name, whole_schema, whole) AS (
  {parts}
), part AS MATERIALIZED (
  SELECT c.oid, w.oid AS whole
    FROM parts AS p
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = p.schema
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = p.name
    LEFT JOIN pg_catalog.pg_namespace AS u ON u.nspname = p.whole_schema
    LEFT JOIN pg_catalog.pg_class AS w ON w.relnamespace = u.oid AND w.relname = p.whole
), here AS MATERIALIZED (
  SELECT d.oid, d.datacl, d.datdba FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
), grantees AS MATERIALIZED (
  SELECT r.oid, r.rolname::text AS name FROM pg_catalog.pg_roles AS r WHERE r.rolname = ANY ($8::text[])
   UNION ALL
  SELECT 0::oid, 'public' WHERE 'public' = ANY ($8::text[])
), above (member, role) AS (
  -- What the roles that are named are members of, and what these are, and so on.
  SELECT m.member, m.roleid
    FROM pg_catalog.pg_roles AS r
    JOIN pg_catalog.pg_auth_members AS m ON m.member = r.oid
   WHERE r.rolname = ANY ($7::text[] || $8::text[])
   UNION
  SELECT m.member, m.roleid FROM above AS a JOIN pg_catalog.pg_auth_members AS m ON m.member = a.role
), relations AS MATERIALIZED (
  SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relowner AS owner,
         CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS sort, c.relacl AS acl,
         pg_catalog.acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner) AS standard
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
     AND (n.nspname = ANY ($3::text[])
          OR (n.nspname, c.relname) IN (SELECT w.s::name, w.n::name
                                          FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS w (s, n)))
), routines AS MATERIALIZED (
  SELECT p.oid, n.nspname::text AS schema, p.proname::text AS name, p.proowner AS owner,
         (SELECT COALESCE(pg_catalog.string_agg(pg_catalog.format_type(a.type, NULL), ', ' ORDER BY a.at), '')
            FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS a (type, at)) AS arguments,
         p.proacl AS acl, pg_catalog.acldefault('f', p.proowner) AS standard
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
   WHERE n.nspname = ANY ($3::text[])
      OR (n.nspname, p.proname) IN (SELECT w.s::name, w.n::name
                                      FROM ROWS FROM (pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::text[])) AS w (s, n))
), objects AS MATERIALIZED (
  SELECT r.sort, r.schema, r.name, NULL::text AS arguments, 'pg_catalog.pg_class'::regclass::oid AS class, r.oid, r.owner,
         COALESCE(r.acl, r.standard) AS acl, r.standard
    FROM relations AS r
   UNION ALL
  SELECT 'function', p.schema, p.name, p.arguments, 'pg_catalog.pg_proc'::regclass, p.oid, p.owner,
         COALESCE(p.acl, p.standard), p.standard
    FROM routines AS p
   UNION ALL
  SELECT 'schema', n.nspname, NULL, NULL, 'pg_catalog.pg_namespace'::regclass, n.oid, n.nspowner,
         COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner)), pg_catalog.acldefault('n', n.nspowner)
    FROM pg_catalog.pg_namespace AS n
   WHERE n.nspname = ANY ($6::text[] || $3::text[])
   UNION ALL
  SELECT 'database', NULL, NULL, NULL, 'pg_catalog.pg_database'::regclass, h.oid, h.datdba,
         COALESCE(h.datacl, pg_catalog.acldefault('d', h.datdba)), pg_catalog.acldefault('d', h.datdba)
    FROM here AS h
), makers AS MATERIALIZED (
  SELECT r.oid, r.rolname::text AS name FROM pg_catalog.pg_roles AS r WHERE r.rolname = ANY ($9::text[])
), kinds (code, letter, what) AS (
  VALUES ('r', 'r', 'tables'), ('S', 's', 'sequences'), ('f', 'f', 'functions'), ('T', 'T', 'types'), ('n', 'n', 'schemas')
), later AS MATERIALIZED (
  SELECT m.name AS maker, k.what, n.nspname::text AS schema, d.defaclacl AS acl
    FROM makers AS m
    JOIN pg_catalog.pg_default_acl AS d ON d.defaclrole = m.oid
    JOIN kinds AS k ON k.code = d.defaclobjtype::text
    LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
   UNION ALL
  -- Without an entry for all schemas, the server's own defaults hold.
  SELECT m.name, k.what, NULL, pg_catalog.acldefault(k.letter::"char", m.oid)
    FROM makers AS m
   CROSS JOIN kinds AS k
   WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_default_acl AS d
                      WHERE d.defaclrole = m.oid AND d.defaclnamespace = 0 AND d.defaclobjtype::text = k.code)
), granted AS MATERIALIZED (
  SELECT o.sort, o.schema, o.name, o.arguments, g.name AS grantee, pg_catalog.lower(a.privilege_type) AS privilege,
         pg_catalog.bool_or(a.is_grantable) AS grantable
    FROM objects AS o
   CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) AS a
    JOIN grantees AS g ON g.oid = a.grantee AND g.oid <> o.owner
   GROUP BY 1, 2, 3, 4, 5, 6
), columns AS MATERIALIZED (
  SELECT r.schema, r.name, g.name AS grantee, pg_catalog.lower(x.privilege_type) AS privilege,
         pg_catalog.string_agg(DISTINCT pg_catalog.quote_ident(a.attname), ', ') AS columns
    FROM relations AS r
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND NOT a.attisdropped AND a.attacl IS NOT NULL
   CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) AS x
    JOIN grantees AS g ON g.oid = x.grantee AND g.oid <> r.owner
   GROUP BY 1, 2, 3, 4
), passed AS MATERIALIZED (
  -- What was not granted by the owner: the server keeps who did, and revokes it from nobody else.
  SELECT o.sort, o.schema, o.name, o.arguments, a.grantor, a.grantee, a.privilege_type
    FROM objects AS o
   CROSS JOIN LATERAL pg_catalog.aclexplode(o.acl) AS a
   WHERE a.grantor <> o.owner
   UNION
  SELECT r.sort, r.schema, r.name, NULL, x.grantor, x.grantee, x.privilege_type
    FROM relations AS r
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND NOT a.attisdropped AND a.attacl IS NOT NULL
   CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) AS x
   WHERE x.grantor <> r.owner
), everybody AS MATERIALIZED (
  SELECT $12::bigint = 0 AND EXISTS (SELECT FROM grantees AS g WHERE g.oid = 0) AS asked
), mentioning AS MATERIALIZED (
  -- Where the grantees are mentioned: the server keeps it of roles, and not of everybody.
  SELECT d.classid AS class, d.objid AS oid
    FROM pg_catalog.pg_shdepend AS d
    JOIN grantees AS g ON d.refclassid = 'pg_catalog.pg_authid'::regclass AND d.refobjid = g.oid
   CROSS JOIN here AS h
   WHERE $12::bigint = 0 AND d.deptype = 'a'
     AND (d.dbid = h.oid OR (d.classid = 'pg_catalog.pg_database'::regclass AND d.objid = h.oid))
   UNION
  SELECT a.class, a.oid
    FROM (SELECT 'pg_catalog.pg_class'::regclass::oid, c.oid FROM pg_catalog.pg_class AS c WHERE c.relacl IS NOT NULL
           UNION ALL
          SELECT 'pg_catalog.pg_class'::regclass, t.attrelid FROM pg_catalog.pg_attribute AS t WHERE t.attacl IS NOT NULL
           UNION ALL
          SELECT 'pg_catalog.pg_proc'::regclass, p.oid FROM pg_catalog.pg_proc AS p WHERE p.proacl IS NOT NULL
           UNION ALL
          SELECT 'pg_catalog.pg_namespace'::regclass, n.oid FROM pg_catalog.pg_namespace AS n WHERE n.nspacl IS NOT NULL
           UNION ALL
          SELECT 'pg_catalog.pg_database'::regclass, h.oid FROM here AS h WHERE h.datacl IS NOT NULL
           UNION ALL
          SELECT 'pg_catalog.pg_default_acl'::regclass, d.oid FROM pg_catalog.pg_default_acl AS d) AS a (class, oid)
   WHERE (SELECT e.asked FROM everybody AS e)
), mentioned AS MATERIALIZED (
  SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, c.relowner AS owner, c.relkind AS kind, c.relacl AS acl
    FROM mentioning AS m
    JOIN pg_catalog.pg_class AS c ON m.class = 'pg_catalog.pg_class'::regclass AND c.oid = m.oid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_temp_')
     -- Its privileges are recorded nowhere as the server's own.
     AND n.nspname <> 'information_schema'
), things (sort, schema, name, arguments, by, columns, class, oid, part, owner, acl, standard) AS MATERIALIZED (
  SELECT CASE r.kind WHEN 'S' THEN 'sequence' ELSE 'table' END, r.schema, r.name, NULL::text, NULL::text, NULL::text,
         'pg_catalog.pg_class'::regclass::oid, r.oid, 0, r.owner, r.acl,
         pg_catalog.acldefault(CASE r.kind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.owner)
    FROM mentioned AS r
   UNION ALL
  SELECT 'table', r.schema, r.name, NULL, NULL, pg_catalog.quote_ident(a.attname), 'pg_catalog.pg_class'::regclass, r.oid,
         a.attnum, r.owner, a.attacl, NULL
    FROM mentioned AS r
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = r.oid AND NOT a.attisdropped AND a.attacl IS NOT NULL
   UNION ALL
  SELECT 'function', n.nspname, p.proname,
         (SELECT COALESCE(pg_catalog.string_agg(pg_catalog.format_type(a.type, NULL), ', ' ORDER BY a.at), '')
            FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS a (type, at)),
         NULL, NULL, m.class, p.oid, 0, p.proowner, p.proacl, pg_catalog.acldefault('f', p.proowner)
    FROM mentioning AS m
    JOIN pg_catalog.pg_proc AS p ON m.class = 'pg_catalog.pg_proc'::regclass AND p.oid = m.oid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace AND n.nspname <> 'information_schema'
   UNION ALL
  SELECT 'schema', n.nspname, NULL, NULL, NULL, NULL, m.class, n.oid, 0, n.nspowner, n.nspacl,
         pg_catalog.acldefault('n', n.nspowner)
    FROM mentioning AS m
    JOIN pg_catalog.pg_namespace AS n ON m.class = 'pg_catalog.pg_namespace'::regclass AND n.oid = m.oid
                                     AND n.nspname <> 'information_schema'
   UNION ALL
  SELECT 'type', n.nspname, y.typname, NULL, NULL, NULL, m.class, y.oid, 0, y.typowner, y.typacl,
         pg_catalog.acldefault('T', y.typowner)
    FROM mentioning AS m
    JOIN pg_catalog.pg_type AS y ON m.class = 'pg_catalog.pg_type'::regclass AND y.oid = m.oid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = y.typnamespace AND n.nspname <> 'information_schema'
                                     AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_temp_')
   UNION ALL
  SELECT 'database', NULL, NULL, NULL, NULL, NULL, m.class, h.oid, 0, h.datdba, h.datacl, pg_catalog.acldefault('d', h.datdba)
    FROM mentioning AS m
    JOIN here AS h ON m.class = 'pg_catalog.pg_database'::regclass AND h.oid = m.oid
   UNION ALL
  SELECT 'later', n.nspname, k.what, NULL, pg_catalog.pg_get_userbyid(d.defaclrole)::text, NULL, m.class, d.oid, 0,
         d.defaclrole, d.defaclacl,
         CASE d.defaclnamespace WHEN 0 THEN pg_catalog.acldefault(k.letter::"char", d.defaclrole) END
    FROM mentioning AS m
    JOIN pg_catalog.pg_default_acl AS d ON m.class = 'pg_catalog.pg_default_acl'::regclass AND d.oid = m.oid
    JOIN kinds AS k ON k.code = d.defaclobjtype::text
    LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = d.defaclnamespace
), beyond AS MATERIALIZED (
  SELECT t.sort, t.schema, t.name, t.arguments, t.by, t.columns, g.name AS grantee,
         pg_catalog.lower(a.privilege_type) AS privilege, t.owner, pg_catalog.bool_or(a.is_grantable) AS grantable
    FROM things AS t
    LEFT JOIN pg_catalog.pg_init_privs AS i ON i.classoid = t.class AND i.objoid = t.oid AND i.objsubid = t.part
   CROSS JOIN LATERAL pg_catalog.aclexplode(t.acl) AS a
    JOIN grantees AS g ON g.oid = a.grantee AND g.oid <> t.owner
   WHERE NOT EXISTS (SELECT FROM pg_catalog.aclexplode(COALESCE(i.initprivs, t.standard)) AS s
                      WHERE s.grantee = a.grantee AND s.grantor <> s.grantee AND s.privilege_type = a.privilege_type
                        AND s.is_grantable = a.is_grantable)
     -- What TimescaleDB keeps of a table has what the table has: only what somebody granted on it alone is beyond that.
     AND NOT EXISTS (SELECT FROM part AS p
                       JOIN pg_catalog.pg_class AS c ON c.oid = p.whole
                       LEFT JOIN pg_catalog.pg_attribute AS w
                              ON w.attrelid = p.whole AND pg_catalog.quote_ident(w.attname) = t.columns
                      CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(c.relacl, '{}') || COALESCE(w.attacl, '{}')) AS s
                      WHERE t.class = 'pg_catalog.pg_class'::regclass AND p.oid = t.oid AND s.grantee = a.grantee
                        AND s.privilege_type = a.privilege_type AND (s.is_grantable OR NOT a.is_grantable))
   GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
)
SELECT 'object' AS what, o.sort, o.schema, o.name, o.arguments, NULL::text AS grantee, NULL::text AS by,
       NULL::text AS privilege, NULL::bool AS grantable, NULL::int8 AS count,
       pg_catalog.pg_has_role(o.owner, 'USAGE') AS owned, pg_catalog.pg_get_userbyid(o.owner)::text AS owner,
       NULL::bool AS inherit, NULL::bool AS may_set
  FROM objects AS o
UNION ALL
SELECT 'granted', g.sort, g.schema, g.name, g.arguments, g.grantee, NULL, g.privilege, g.grantable, NULL, NULL, NULL, NULL, NULL
  FROM granted AS g
UNION ALL
SELECT 'initial', o.sort, o.schema, o.name, o.arguments, g.name, NULL, pg_catalog.lower(a.privilege_type),
       pg_catalog.bool_or(a.is_grantable), NULL, NULL, NULL, NULL, NULL
  FROM objects AS o
  LEFT JOIN pg_catalog.pg_init_privs AS i ON i.classoid = o.class AND i.objoid = o.oid AND i.objsubid = 0
 CROSS JOIN LATERAL pg_catalog.aclexplode(COALESCE(i.initprivs, o.standard)) AS a
  -- Whoever grants to itself was the owner then.
  JOIN grantees AS g ON g.oid = a.grantee AND g.oid <> o.owner AND g.oid <> a.grantor
 WHERE $12::bigint = 1
 GROUP BY o.sort, o.schema, o.name, o.arguments, g.name, a.privilege_type
UNION ALL
SELECT 'initial', 'later', NULL, k.what, NULL, g.name, m.name, pg_catalog.lower(a.privilege_type), a.is_grantable,
       NULL, NULL, NULL, NULL, NULL
  FROM makers AS m
 CROSS JOIN kinds AS k
 CROSS JOIN LATERAL pg_catalog.aclexplode(pg_catalog.acldefault(k.letter::"char", m.oid)) AS a
  JOIN grantees AS g ON g.oid = a.grantee AND g.name <> m.name
 WHERE $12::bigint = 1
UNION ALL
SELECT 'columns', 'table', c.schema, c.name, c.columns, c.grantee, NULL, c.privilege, NULL, NULL, NULL, NULL, NULL, NULL
  FROM columns AS c
UNION ALL
SELECT 'beyond', b.sort, b.schema, b.name, b.arguments, b.grantee, b.by, b.privilege, b.grantable,
       CASE WHEN b.sort = 'table' AND (b.schema, b.name) IN (SELECT p.schema, p.name FROM parts AS p) THEN 1 END, NULL,
       pg_catalog.pg_get_userbyid(b.owner)::text, NULL, NULL
  FROM beyond AS b
 WHERE b.columns IS NULL
UNION ALL
SELECT 'beyond columns', b.sort, b.schema, b.name, pg_catalog.string_agg(b.columns, ', ' ORDER BY b.columns), b.grantee, NULL,
       b.privilege, NULL, CASE WHEN (b.schema, b.name) IN (SELECT p.schema, p.name FROM parts AS p) THEN 1 END, NULL, NULL, NULL, NULL
  FROM beyond AS b
 WHERE b.columns IS NOT NULL
 GROUP BY b.sort, b.schema, b.name, b.grantee, b.privilege
UNION ALL
SELECT 'passed', p.sort, p.schema, p.name, p.arguments,
       CASE p.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(p.grantee)::text END,
       pg_catalog.pg_get_userbyid(p.grantor)::text, pg_catalog.lower(p.privilege_type), NULL, NULL, NULL, NULL, NULL, NULL
  FROM passed AS p
 WHERE p.grantor IN (SELECT g.oid FROM grantees AS g) OR p.grantee IN (SELECT g.oid FROM grantees AS g)
UNION ALL
-- Of a membership, too, the server keeps by whom it was granted, and from 16 on that counts. What the session
-- would end without a further word is its own (`check_role_grantor` in `src/backend/commands/user.c`).
SELECT 'passed', 'role', NULL, r.rolname::text, NULL, pg_catalog.pg_get_userbyid(m.member)::text,
       pg_catalog.pg_get_userbyid(m.grantor)::text, 'member', NULL, NULL,
       CASE WHEN me.rolsuper THEN m.grantor = 10 ELSE pg_catalog.pg_has_role(m.grantor, 'USAGE') END, NULL, NULL, NULL
  FROM pg_catalog.pg_auth_members AS m
  JOIN pg_catalog.pg_roles AS r ON r.oid = m.roleid
  JOIN pg_catalog.pg_roles AS me ON me.rolname = current_user
 WHERE pg_catalog.current_setting('server_version_num')::int >= 160000
   AND (m.grantor IN (SELECT g.oid FROM grantees AS g) OR m.member IN (SELECT g.oid FROM grantees AS g))
UNION ALL
SELECT 'later', l.what, l.schema, NULL, NULL, g.name, l.maker, pg_catalog.lower(a.privilege_type),
       pg_catalog.bool_or(a.is_grantable), NULL, NULL, NULL, NULL, NULL
  FROM later AS l
 CROSS JOIN LATERAL pg_catalog.aclexplode(l.acl) AS a
  JOIN grantees AS g ON g.oid = a.grantee AND g.name <> l.maker
 GROUP BY l.what, l.schema, g.name, l.maker, a.privilege_type
UNION ALL
SELECT 'member', NULL, NULL, r.rolname::text, NULL, g.name, NULL, NULL, pg_catalog.bool_or(m.admin_option), NULL, NULL, NULL,
       pg_catalog.bool_or((pg_catalog.to_jsonb(m) ->> 'inherit_option')::bool),
       pg_catalog.bool_or((pg_catalog.to_jsonb(m) ->> 'set_option')::bool)
  FROM pg_catalog.pg_auth_members AS m
  JOIN pg_catalog.pg_roles AS r ON r.oid = m.roleid
  JOIN grantees AS g ON g.oid = m.member
 GROUP BY r.rolname, g.name
UNION ALL
SELECT 'above', NULL, NULL, pg_catalog.pg_get_userbyid(a.role)::text, NULL, pg_catalog.pg_get_userbyid(a.member)::text,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM above AS a
UNION ALL
SELECT 'named', NULL, NULL, w.target, NULL, w.grantee, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM ROWS FROM (pg_catalog.unnest($10::text[]), pg_catalog.unnest($11::text[])) AS w (grantee, target)
UNION ALL
SELECT 'role', NULL, NULL, r.rolname::text, NULL, NULL, NULL, NULL, NULL, NULL,
       NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = ANY ($7::text[] || $8::text[] || $9::text[])
