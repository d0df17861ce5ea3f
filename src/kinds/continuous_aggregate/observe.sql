-- $1 TimescaleDB's ids of the hypertables in scope: the continuous aggregates that are kept in them,
-- each with its query as its author wrote it, which the server keeps as a view of its own. `finalized`
-- is there up to 2.22 or so, and false only for the form of before 2.7.
-- What is left to fill begins with the first of all times in the log of invalidations. Of one that was
-- never refreshed it reaches to the last of all times (seen on 2.14 to 2.28). 2.28 fills from the newest
-- on, a transaction for each few buckets: a fill that was cut off leaves the time up to a bucket, with
-- chunks to read before it and at it, and nothing kept from before it. One that was completed leaves what
-- is before the first time of the type. A fill takes away what was kept from chunks that are gone: where
-- there are no chunks at that bucket, or rows are kept from before it, the aggregate counts as filled.
-- What there is nothing to fill from is not empty.
-- How long the chunks are of what is read is told with each, for that need not be in sight by itself: what an
-- aggregate read until now may be none of the policies' business any more.
-- $2 the comment that is on the hypertable of an aggregate from when it is made until it is filled.
SELECT a.user_view_schema AS schema, a.user_view_name AS name,
       a.materialized_only,
       COALESCE((pg_catalog.to_jsonb(a) ->> 'finalized')::boolean, true) AS finalized,
       pg_catalog.pg_get_viewdef(
           pg_catalog.format('%I.%I', a.direct_view_schema, a.direct_view_name)::pg_catalog.regclass) AS query,
       p.user_view_schema AS parent_schema, p.user_view_name AS parent_name,
       COALESCE(p.user_view_schema, r.schema_name) AS source_schema,
       COALESCE(p.user_view_name, r.table_name) AS source_name, t.interval_length AS source_interval,
       EXISTS (SELECT FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log AS l
                WHERE l.materialization_id = a.mat_hypertable_id
                  AND l.lowest_modified_value = -9223372036854775808
                  AND CASE WHEN l.greatest_modified_value = 9223372036854775807 THEN
                      EXISTS (SELECT FROM pg_catalog.pg_inherits AS i
                               WHERE i.inhparent = pg_catalog.to_regclass(
                                   pg_catalog.format('%I.%I', r.schema_name, r.table_name)))
                  ELSE
                      EXISTS (SELECT FROM _timescaledb_catalog.dimension_slice AS s
                               WHERE s.dimension_id = t.id AND s.range_start <= l.greatest_modified_value)
                      AND EXISTS (SELECT FROM _timescaledb_catalog.dimension_slice AS s
                                   WHERE s.dimension_id = t.id
                                     AND s.range_start <= l.greatest_modified_value + 1
                                     AND s.range_end > l.greatest_modified_value)
                      AND CASE WHEN pg_catalog.has_table_privilege(m.oid, 'SELECT') THEN
                          pg_catalog.query_to_xml(pg_catalog.format(
                              'SELECT _timescaledb_functions.time_to_internal(pg_catalog.min(m.%I)) <= %s AS kept FROM %s AS m',
                              m.bucket, l.greatest_modified_value, m.oid), false, true, '')::text NOT LIKE '%<kept>true<%'
                      ELSE false END
                  END) AS never_filled,
       EXISTS (SELECT FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log AS l
                WHERE l.materialization_id = a.mat_hypertable_id
                  AND l.lowest_modified_value = -9223372036854775808
                  AND l.greatest_modified_value = 9223372036854775807
                  AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i
                               WHERE i.inhparent = pg_catalog.to_regclass(
                                   pg_catalog.format('%I.%I', r.schema_name, r.table_name)))) AS never_refreshed,
       pg_catalog.obj_description(m.oid, 'pg_class') IS NOT DISTINCT FROM $2 AS is_being_filled
  FROM _timescaledb_catalog.continuous_agg AS a
  JOIN _timescaledb_catalog.hypertable AS r ON r.id = a.raw_hypertable_id
  JOIN LATERAL (SELECT pg_catalog.to_regclass(pg_catalog.format('%I.%I', h.schema_name, h.table_name)) AS oid,
                       d.column_name AS bucket
                  FROM _timescaledb_catalog.hypertable AS h
                  JOIN _timescaledb_catalog.dimension AS d ON d.hypertable_id = h.id
                 WHERE h.id = a.mat_hypertable_id AND d.num_slices IS NULL ORDER BY d.id LIMIT 1) AS m ON true
  LEFT JOIN (SELECT DISTINCT ON (d.hypertable_id) d.hypertable_id, d.id, d.interval_length
               FROM _timescaledb_catalog.dimension AS d
              WHERE d.num_slices IS NULL ORDER BY d.hypertable_id, d.id) AS t ON t.hypertable_id = r.id
  LEFT JOIN _timescaledb_catalog.continuous_agg AS p ON p.mat_hypertable_id = a.raw_hypertable_id
 WHERE a.mat_hypertable_id = ANY ($1)
 ORDER BY a.mat_hypertable_id
