-- The extensions that policies or the ledger name. $1 text[]: their names.
SELECT e.extname AS name, e.extversion AS version, n.nspname AS schema, e.extrelocatable AS relocatable,
       pg_catalog.pg_get_userbyid(e.extowner) AS owner,
       pg_catalog.pg_has_role(e.extowner, 'USAGE') AS owned
  FROM pg_catalog.pg_extension AS e
  JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 WHERE e.extname = ANY ($1::text[])
 ORDER BY e.extname
