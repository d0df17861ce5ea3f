-- Who owns the retention jobs of the hypertables with the schemas $1 and names $2, and when their rows
-- were last written, where the server keeps the times of commits.
-- An aggregate is computed whatever CASE stands around it, so that the CASE stands within.
SELECT a.schema, a.name, pg_catalog.max(j.owner::text) AS owner,
       pg_catalog.to_char(
           pg_catalog.max(CASE WHEN pg_catalog.current_setting('track_commit_timestamp')::boolean
                               THEN pg_catalog.pg_xact_commit_timestamp(j.xmin) END), 'YYYY-MM-DD HH24:MI:SS"Z"') AS written
  FROM unnest($1::text[], $2::text[]) AS a (schema, name)
  JOIN _timescaledb_catalog.hypertable AS h ON h.schema_name = a.schema AND h.table_name = a.name
  JOIN _timescaledb_catalog.bgw_job AS j ON j.hypertable_id = h.id
 WHERE j.proc_schema = '_timescaledb_functions' AND j.proc_name = 'policy_retention'
 GROUP BY a.schema, a.name
