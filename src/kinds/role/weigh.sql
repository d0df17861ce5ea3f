-- What the session's role may, who else could still administer the server, and what hangs on roles
-- that are to be dropped. $1 text[]: the roles to be dropped.
-- What they are granted is told as the query of grants tells it, too: sort, schema, name, arguments and, of
-- what is made later, by whom. A chunk, and what else TimescaleDB keeps of a table or an aggregate, is
-- granted and revoked with that: it counts as that, unless more is granted on it.
WITH here AS MATERIALIZED (
  SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
), hanging AS MATERIALIZED (
  SELECT DISTINCT CASE d.deptype WHEN 'o' THEN 'owned' ELSE 'granted' END AS what, r.rolname::text AS role,
         r.oid AS grantee, d.deptype = 'a' AS by_acl, d.dbid, d.classid, d.objid,
         CASE d.deptype WHEN 'o' THEN 0 ELSE d.objsubid END AS objsubid
    FROM pg_catalog.pg_shdepend AS d
    JOIN pg_catalog.pg_roles AS r ON d.refclassid = 'pg_catalog.pg_authid'::regclass AND r.oid = d.refobjid
   WHERE r.rolname = ANY ($1::text[])
), parts (schema, name, whole_schema, whole) AS (
  {parts}
), folded AS MATERIALIZED (
  SELECT h.grantee, h.objid, h.objsubid, w.oid AS whole, COALESCE(wa.attnum, 0) AS whole_part
    FROM hanging AS h
   CROSS JOIN here
    JOIN pg_catalog.pg_class AS c ON h.classid = 'pg_catalog.pg_class'::regclass AND c.oid = h.objid AND h.dbid = here.oid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    JOIN parts AS p ON p.schema = n.nspname AND p.name = c.relname
    JOIN pg_catalog.pg_namespace AS wn ON wn.nspname = p.whole_schema
    JOIN pg_catalog.pg_class AS w ON w.relnamespace = wn.oid AND w.relname = p.whole
    LEFT JOIN pg_catalog.pg_attribute AS ca ON ca.attrelid = c.oid AND ca.attnum = h.objsubid AND h.objsubid <> 0
    LEFT JOIN pg_catalog.pg_attribute AS wa ON wa.attrelid = w.oid AND wa.attname = ca.attname AND NOT wa.attisdropped
   WHERE h.by_acl
     AND NOT EXISTS (SELECT x.privilege_type
                       FROM pg_catalog.aclexplode(CASE h.objsubid WHEN 0 THEN c.relacl ELSE ca.attacl END) AS x
                      WHERE x.grantee = h.grantee
                     EXCEPT
                     SELECT x.privilege_type
                       FROM pg_catalog.aclexplode(CASE h.objsubid WHEN 0 THEN w.relacl ELSE wa.attacl END) AS x
                      WHERE x.grantee = h.grantee)
), things AS MATERIALIZED (
  SELECT DISTINCT h.what, h.role, h.by_acl, h.dbid, h.classid, COALESCE(f.whole, h.objid) AS objid,
         COALESCE(f.whole_part, h.objsubid) AS objsubid
    FROM hanging AS h
   CROSS JOIN here
    LEFT JOIN folded AS f ON h.classid = 'pg_catalog.pg_class'::regclass AND h.dbid = here.oid AND h.by_acl
                         AND f.grantee = h.grantee AND f.objid = h.objid AND f.objsubid = h.objsubid
)
SELECT 'me' AS what, NULL::text AS role, NULL::text AS object, me.rolcreaterole AS flag,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_roles AS s
         WHERE s.rolsuper AND s.rolcanlogin AND (s.rolvaliduntil IS NULL OR s.rolvaliduntil > pg_catalog.now())) AS number,
       session_user::text AS who,
       NULL::text AS sort, NULL::text AS schema, NULL::text AS name, NULL::text AS arguments, NULL::text AS by
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
        CASE WHEN NOT h.by_acl THEN NULL
             WHEN h.classid = 'pg_catalog.pg_database'::regclass AND h.objid = here.oid THEN 'database'
             WHEN h.dbid <> here.oid THEN NULL
             WHEN n.oid IS NOT NULL THEN 'schema'
             WHEN c.relkind = 'S' THEN 'sequence'
             WHEN c.oid IS NOT NULL THEN 'table'
             WHEN p.oid IS NOT NULL THEN 'function'
             WHEN l.oid IS NOT NULL THEN 'later'
        END,
        COALESCE(n.nspname, s.nspname)::text,
        COALESCE(c.relname::text, p.proname::text,
                 CASE l.defaclobjtype::text WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                                            WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' END),
        CASE WHEN p.oid IS NOT NULL THEN
             (SELECT COALESCE(pg_catalog.string_agg(pg_catalog.format_type(a.type, NULL), ', ' ORDER BY a.at), '')
                FROM pg_catalog.unnest(p.proargtypes) WITH ORDINALITY AS a (type, at))
        END,
        pg_catalog.pg_get_userbyid(l.defaclrole)::text
   FROM things AS h
  CROSS JOIN here
   LEFT JOIN pg_catalog.pg_namespace AS n ON h.classid = 'pg_catalog.pg_namespace'::regclass AND n.oid = h.objid
   LEFT JOIN pg_catalog.pg_class AS c ON h.classid = 'pg_catalog.pg_class'::regclass AND c.oid = h.objid
   LEFT JOIN pg_catalog.pg_proc AS p ON h.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = h.objid
   LEFT JOIN pg_catalog.pg_default_acl AS l ON h.classid = 'pg_catalog.pg_default_acl'::regclass AND l.oid = h.objid
   LEFT JOIN pg_catalog.pg_namespace AS s ON s.oid IN (c.relnamespace, p.pronamespace, l.defaclnamespace))
ORDER BY 1, 2, 3
