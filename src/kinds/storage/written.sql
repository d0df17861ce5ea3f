-- When the catalog rows of the tables with the schemas $1 and names $2, and of their TOAST tables,
-- were last written, where the server keeps the times of commits.
SELECT a.schema, a.name, NULL::text AS owner,
       CASE WHEN pg_catalog.current_setting('track_commit_timestamp')::boolean
            THEN pg_catalog.to_char(
                     GREATEST(pg_catalog.pg_xact_commit_timestamp(x.xmin), pg_catalog.pg_xact_commit_timestamp(t.xmin)),
                     'YYYY-MM-DD HH24:MI:SS"Z"') END AS written
  FROM unnest($1::text[], $2::text[]) AS a (schema, name)
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = a.schema
  JOIN pg_catalog.pg_class AS x ON x.relnamespace = n.oid AND x.relname = a.name
  LEFT JOIN pg_catalog.pg_class AS t ON t.oid = x.reltoastrelid
