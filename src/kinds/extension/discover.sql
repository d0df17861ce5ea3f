-- The extensions of the database. `plpgsql` comes with every database.
SELECT e.extname AS name
  FROM pg_catalog.pg_extension AS e
 WHERE e.extname <> 'plpgsql'
 ORDER BY e.extname
