-- What the session's role may, who else could still administer the server, and what hangs on roles
-- that are to be dropped. $1 text[]: the roles to be dropped.
SELECT 'me' AS what, NULL::text AS name, NULL::text AS object, me.rolcreaterole AS flag,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_roles AS s
         WHERE s.rolsuper AND s.rolcanlogin AND (s.rolvaliduntil IS NULL OR s.rolvaliduntil > pg_catalog.now())) AS number,
       session_user::text AS who
  FROM pg_catalog.pg_roles AS me
 WHERE me.rolname = current_user
UNION ALL
(SELECT CASE d.deptype WHEN 'o' THEN 'owned' ELSE 'granted' END, r.rolname::text,
        CASE WHEN d.dbid = 0 AND d.classid = 'pg_catalog.pg_database'::regclass
             THEN 'database ' || (SELECT b.datname FROM pg_catalog.pg_database AS b WHERE b.oid = d.objid)
             WHEN d.dbid IN (0, me.oid) THEN pg_catalog.pg_describe_object(d.classid, d.objid, d.objsubid)
             ELSE 'something in the database ' || (SELECT b.datname FROM pg_catalog.pg_database AS b WHERE b.oid = d.dbid)
        END,
        NULL, pg_catalog.count(*), NULL
   FROM pg_catalog.pg_shdepend AS d
   JOIN pg_catalog.pg_roles AS r ON d.refclassid = 'pg_catalog.pg_authid'::regclass AND r.oid = d.refobjid
   JOIN pg_catalog.pg_database AS me ON me.datname = pg_catalog.current_database()
  WHERE r.rolname = ANY ($1::text[])
  GROUP BY 1, 2, 3)
ORDER BY 1, 2, 3
