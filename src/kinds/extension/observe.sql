-- The extensions that policies or the ledger name. $1 text[]: their names; $2 bigint: whether the
-- default versions are to be read from the server's files too.
SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema, e.extrelocatable AS relocatable,
       pg_catalog.pg_get_userbyid(e.extowner) AS owner,
       pg_catalog.pg_has_role(e.extowner, 'USAGE') AS owned,
       CASE WHEN $2 = 1 THEN
           (SELECT a.default_version FROM pg_catalog.pg_available_extensions() AS a WHERE a.name = e.extname)
       END AS default_version
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 WHERE e.extname = ANY ($1::text[])
 ORDER BY e.extname
