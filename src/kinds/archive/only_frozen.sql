-- The tables of which a run has left something frozen, where no policy archives any.
WITH {frozen}
SELECT hn.nspname AS schema, h.relname AS name, NULL::oid AS chunk, f.frozen_chunks, f.frozen_names
  FROM begun AS f
  JOIN pg_catalog.pg_class AS h ON h.oid = f.oid
  JOIN pg_catalog.pg_namespace AS hn ON hn.oid = h.relnamespace
 ORDER BY hn.nspname, h.relname
