-- What the session's role may, who else could still administer the server, and what hangs on roles
-- that are to be dropped. $1 text[]: the roles to be dropped.
-- What they are granted is told as the query of grants tells it, too: sort, schema, name, arguments and, of
-- what is made later, by whom; of what such a role itself makes later, to whom it gives what. A chunk, and what else TimescaleDB keeps of a table or an aggregate, is
-- granted and revoked with that: it does not count, unless more is granted on it.
WITH here AS MATERIALIZED (
  SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
), hanging AS MATERIALIZED (
  SELECT DISTINCT CASE d.deptype WHEN 'o' THEN 'owned' WHEN 'r' THEN 'named' ELSE 'granted' END AS what, r.rolname::text AS role,
         r.oid AS grantee, d.deptype = 'a' AS by_acl, d.dbid, d.classid, d.objid,
         CASE d.deptype WHEN 'o' THEN 0 ELSE d.objsubid END AS objsubid
    FROM pg_catalog.pg_shdepend AS d
    JOIN pg_catalog.pg_roles AS r ON d.refclassid = 'pg_catalog.pg_authid'::regclass AND r.oid = d.refobjid
   WHERE r.rolname = ANY ($1::text[])
), parts (schema, name, whole_schema, whole) AS (
  {parts}
), part_of AS MATERIALIZED (
  SELECT c.oid, w.oid AS whole
    FROM parts AS p
    JOIN pg_catalog.pg_namespace AS n ON n.nspname = p.schema
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = p.name
    JOIN pg_catalog.pg_namespace AS wn ON wn.nspname = p.whole_schema
    JOIN pg_catalog.pg_class AS w ON w.relnamespace = wn.oid AND w.relname = p.whole
), more (oid, part, grantee) AS MATERIALIZED (
  SELECT p.oid, 0, x.grantee
    FROM part_of AS p
    JOIN pg_catalog.pg_class AS c ON c.oid = p.oid
    JOIN pg_catalog.pg_class AS w ON w.oid = p.whole
   CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS x
   WHERE NOT EXISTS (SELECT FROM pg_catalog.aclexplode(w.relacl) AS y
                      WHERE y.grantee = x.grantee AND y.privilege_type = x.privilege_type)
   UNION
  SELECT p.oid, a.attnum, x.grantee
    FROM part_of AS p
    JOIN pg_catalog.pg_attribute AS a ON a.attrelid = p.oid AND a.attacl IS NOT NULL
    LEFT JOIN pg_catalog.pg_attribute AS w ON w.attrelid = p.whole AND w.attname = a.attname
   CROSS JOIN LATERAL pg_catalog.aclexplode(a.attacl) AS x
   WHERE NOT EXISTS (SELECT FROM pg_catalog.aclexplode(w.attacl) AS y
                      WHERE y.grantee = x.grantee AND y.privilege_type = x.privilege_type)
), things AS MATERIALIZED (
  -- IN, and not a join: what is on either side is many where there are many chunks, which the planner cannot
  -- tell.
  SELECT h.what, h.role, h.by_acl, h.dbid, h.classid, h.objid, h.objsubid
    FROM hanging AS h
   CROSS JOIN here
   WHERE NOT (h.by_acl AND h.dbid = here.oid AND h.classid = 'pg_catalog.pg_class'::regclass
              AND h.objid IN (SELECT p.oid FROM part_of AS p))
      OR (h.objid, h.objsubid, h.grantee) IN (SELECT m.oid, m.part::int, m.grantee FROM more AS m)
)
SELECT 'me' AS what, NULL::text AS role, NULL::text AS object, me.rolcreaterole AS flag,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_roles AS s
         WHERE s.rolsuper AND s.rolcanlogin AND (s.rolvaliduntil IS NULL OR s.rolvaliduntil > pg_catalog.now())) AS number,
       session_user::text AS who,
       NULL::text AS sort, NULL::text AS schema, NULL::text AS name, NULL::text AS arguments, NULL::text AS by,
       NULL::text[] AS gives_to, NULL::text[] AS gives
  FROM pg_catalog.pg_roles AS me
 WHERE me.rolname = current_user
UNION ALL
(SELECT h.what, h.role,
        CASE WHEN h.dbid = 0 AND h.classid = 'pg_catalog.pg_database'::regclass
             THEN 'database ' || (SELECT b.datname FROM pg_catalog.pg_database AS b WHERE b.oid = h.objid)
             WHEN h.dbid IN (0, here.oid) THEN pg_catalog.pg_describe_object(h.classid, h.objid, h.objsubid)
             ELSE 'something in the database ' || (SELECT b.datname FROM pg_catalog.pg_database AS b WHERE b.oid = h.dbid)
        END,
        NULL, NULL, NULL,
        CASE WHEN g.gives IS NOT NULL THEN 'later'
             WHEN NOT h.by_acl THEN NULL
             WHEN h.classid = 'pg_catalog.pg_database'::regclass AND h.objid = here.oid THEN 'database'
             WHEN h.dbid <> here.oid THEN NULL
             WHEN n.oid IS NOT NULL THEN 'schema'
             WHEN c.relkind = 'S' THEN 'sequence'
             WHEN c.oid IS NOT NULL THEN 'table'
             WHEN p.oid IS NOT NULL THEN 'function'
             WHEN y.oid IS NOT NULL THEN 'type'
             WHEN l.oid IS NOT NULL THEN 'later'
        END,
        COALESCE(n.nspname, s.nspname)::text,
        COALESCE(c.relname::text, p.proname::text, y.typname::text,
                 CASE l.defaclobjtype::text WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                            WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' END),
        CASE WHEN p.oid IS NOT NULL THEN
             (SELECT COALESCE(pg_catalog.string_agg(pg_catalog.format_type(a.type, NULL), ', ' ORDER BY a.at), '')
                FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS a (type, at))
        END,
        pg_catalog.pg_get_userbyid(l.defaclrole)::text, g.gives_to, g.gives
   FROM things AS h
  CROSS JOIN here
   LEFT JOIN pg_catalog.pg_namespace AS n ON h.classid = 'pg_catalog.pg_namespace'::regclass AND n.oid = h.objid
   LEFT JOIN pg_catalog.pg_class AS c ON h.classid = 'pg_catalog.pg_class'::regclass AND c.oid = h.objid
   LEFT JOIN pg_catalog.pg_proc AS p ON h.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = h.objid
   LEFT JOIN pg_catalog.pg_default_acl AS l ON h.classid = 'pg_catalog.pg_default_acl'::regclass AND l.oid = h.objid
   LEFT JOIN pg_catalog.pg_type AS y ON h.classid = 'pg_catalog.pg_type'::regclass AND y.oid = h.objid
   LEFT JOIN pg_catalog.pg_namespace AS s ON s.oid IN (c.relnamespace, p.pronamespace, y.typnamespace, l.defaclnamespace)
   -- Of what the role makes later: what each other has of it beyond the server's own defaults. What the owner
   -- has taken of those is told as the owner's: no other can be revoked of it.
   LEFT JOIN LATERAL (
     SELECT pg_catalog.array_agg(x.grantee ORDER BY x.grantee, x.privilege) AS gives_to,
            pg_catalog.array_agg(x.privilege ORDER BY x.grantee, x.privilege) AS gives
       FROM (SELECT CASE l.defaclnamespace
                         WHEN 0 THEN pg_catalog.acldefault(CASE l.defaclobjtype::text WHEN 'S' THEN 's' ELSE l.defaclobjtype::text END::"char",
                                                           l.defaclrole) END AS acl) AS standard
      CROSS JOIN LATERAL (
        SELECT CASE a.grantee WHEN 0 THEN 'public' ELSE pg_catalog.pg_get_userbyid(a.grantee)::text END AS grantee,
               pg_catalog.lower(a.privilege_type) AS privilege
          FROM pg_catalog.aclexplode(l.defaclacl) AS a
         WHERE NOT EXISTS (SELECT FROM pg_catalog.aclexplode(standard.acl) AS o
                            WHERE o.grantee = a.grantee AND o.privilege_type = a.privilege_type AND o.is_grantable = a.is_grantable)
         UNION
        SELECT pg_catalog.pg_get_userbyid(l.defaclrole)::text, pg_catalog.lower(o.privilege_type)
          FROM pg_catalog.aclexplode(standard.acl) AS o
         WHERE NOT EXISTS (SELECT FROM pg_catalog.aclexplode(l.defaclacl) AS a
                            WHERE o.grantee = a.grantee AND o.privilege_type = a.privilege_type AND o.is_grantable = a.is_grantable)
      ) AS x
   ) AS g ON h.what = 'owned' AND h.dbid = here.oid AND l.oid IS NOT NULL)
UNION ALL
-- What goes with the role itself (`DropRole` in `src/backend/commands/user.c`): memberships either way, by
-- `who` the other role is, and settings, by the database that they hold in.
SELECT 'member', r.rolname::text, NULL, pg_catalog.bool_or(m.admin_option), NULL, o.rolname::text, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_roles AS r
  JOIN pg_catalog.pg_auth_members AS m ON m.roleid = r.oid
  JOIN pg_catalog.pg_roles AS o ON o.oid = m.member
 WHERE r.rolname = ANY ($1::text[])
 GROUP BY r.rolname, o.rolname
UNION ALL
SELECT DISTINCT 'of', r.rolname::text, NULL, NULL::bool, NULL::int8, o.rolname::text, NULL, NULL, NULL, NULL, NULL, NULL::text[], NULL::text[]
  FROM pg_catalog.pg_roles AS r
  JOIN pg_catalog.pg_auth_members AS m ON m.member = r.oid
  JOIN pg_catalog.pg_roles AS o ON o.oid = m.roleid
 WHERE r.rolname = ANY ($1::text[])
UNION ALL
SELECT 'settings', r.rolname::text, b.datname::text, NULL, NULL,
       (SELECT pg_catalog.string_agg(pg_catalog.split_part(c.setting, '=', 1), ', ' ORDER BY c.setting)
          FROM pg_catalog.unnest(s.setconfig) AS c (setting)),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_roles AS r
  JOIN pg_catalog.pg_db_role_setting AS s ON s.setrole = r.oid
  LEFT JOIN pg_catalog.pg_database AS b ON b.oid = s.setdatabase
 WHERE r.rolname = ANY ($1::text[])
ORDER BY 1, 2, 3, 6
