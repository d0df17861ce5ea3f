-- The roles that policies or the ledger name. $1 text[]: their names.
SELECT r.rolname::text AS name, r.rolcanlogin AS login, r.rolsuper AS superuser, r.rolcreatedb AS createdb,
       r.rolcreaterole AS createrole, r.rolinherit AS inherit, r.rolreplication AS replication,
       r.rolbypassrls AS bypassrls, r.rolconnlimit AS connection_limit,
       CASE WHEN pg_catalog.isfinite(r.rolvaliduntil)
            THEN (extract(epoch FROM r.rolvaliduntil) * 1000000)::bigint
       END AS valid_until,
       pg_catalog.shobj_description(r.oid, 'pg_authid') AS comment
  FROM pg_catalog.pg_roles AS r
 WHERE r.rolname = ANY ($1::text[])
 ORDER BY r.rolname
