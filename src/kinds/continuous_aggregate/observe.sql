-- $1 TimescaleDB's ids of the hypertables in scope: the continuous aggregates that are kept in them,
-- each with its query as its author wrote it, which the server keeps as a view of its own. One that
-- was never refreshed has its whole range left to do: then a row in the log of invalidations goes
-- from the first to the last of all times (seen on 2.14 to 2.28). `finalized` is there up to 2.22 or
-- so, and false only for the form of before 2.7. What there is nothing to fill from is not empty.
SELECT a.user_view_schema AS schema, a.user_view_name AS name,
       a.materialized_only,
       COALESCE((pg_catalog.to_jsonb(a) ->> 'finalized')::boolean, true) AS finalized,
       pg_catalog.pg_get_viewdef(
           pg_catalog.format('%I.%I', a.direct_view_schema, a.direct_view_name)::pg_catalog.regclass) AS query,
       p.user_view_schema AS parent_schema, p.user_view_name AS parent_name,
       COALESCE(p.user_view_schema, r.schema_name) AS source_schema,
       COALESCE(p.user_view_name, r.table_name) AS source_name,
       EXISTS (SELECT FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log AS l
                WHERE l.materialization_id = a.mat_hypertable_id
                  AND l.lowest_modified_value = -9223372036854775808
                  AND l.greatest_modified_value = 9223372036854775807)
       AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i
                    WHERE i.inhparent = pg_catalog.to_regclass(
                        pg_catalog.format('%I.%I', r.schema_name, r.table_name))) AS never_filled
  FROM _timescaledb_catalog.continuous_agg AS a
  JOIN _timescaledb_catalog.hypertable AS r ON r.id = a.raw_hypertable_id
  LEFT JOIN _timescaledb_catalog.continuous_agg AS p ON p.mat_hypertable_id = a.raw_hypertable_id
 WHERE a.mat_hypertable_id = ANY ($1)
 ORDER BY a.mat_hypertable_id
