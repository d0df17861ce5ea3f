-- The chunks of the hypertables {hypertables} that a run has begun with and frozen: in step, their OIDs and names.
-- Their state is read from the catalog: the function that tells it fails for whatever is no chunk, or is none any more.
begun AS (
    SELECT i.inhparent AS oid,
           pg_catalog.array_agg(c.oid::text ORDER BY c.oid) AS frozen_chunks,
           pg_catalog.array_agg(pg_catalog.format('%I.%I', n.nspname, c.relname) ORDER BY c.oid) AS frozen_names
      FROM pg_catalog.pg_description AS d
      JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = d.objoid AND i.inhparent = ANY ({hypertables}::oid[])
      JOIN pg_catalog.pg_class AS c ON c.oid = d.objoid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      JOIN _timescaledb_catalog.chunk AS ch ON {is_chunk}
     WHERE d.classoid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0
       AND d.description LIKE 'Chronoform: being archived, %'
       AND ch.status & 4 <> 0
     GROUP BY i.inhparent
)
