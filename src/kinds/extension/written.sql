-- When the catalog rows of the extensions with the names $2 were last written, where the server keeps
-- the times of commits. An extension has no schema: $1 is not looked at.
SELECT a.schema, a.name, NULL::text AS owner,
       CASE WHEN pg_catalog.current_setting('track_commit_timestamp')::boolean
            THEN pg_catalog.to_char(pg_catalog.pg_xact_commit_timestamp(e.xmin), 'YYYY-MM-DD HH24:MI:SS"Z"') END AS written
  FROM unnest($1::text[], $2::text[]) AS a (schema, name)
  JOIN pg_catalog.pg_extension AS e ON e.extname = a.name
