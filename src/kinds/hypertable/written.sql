-- When TimescaleDB's rows of the hypertables with the schemas $1 and names $2, and of their
-- dimensions, were last written, where the server keeps the times of commits.
SELECT a.schema, a.name, NULL::text AS owner,
       CASE WHEN pg_catalog.current_setting('track_commit_timestamp')::boolean
            THEN pg_catalog.to_char(
                     GREATEST(pg_catalog.pg_xact_commit_timestamp(h.xmin),
                              (SELECT pg_catalog.max(pg_catalog.pg_xact_commit_timestamp(d.xmin))
                                 FROM _timescaledb_catalog.dimension AS d WHERE d.hypertable_id = h.id)),
                     'YYYY-MM-DD HH24:MI:SS"Z"') END AS written
  FROM unnest($1::text[], $2::text[]) AS a (schema, name)
  JOIN _timescaledb_catalog.hypertable AS h ON h.schema_name = a.schema AND h.table_name = a.name
