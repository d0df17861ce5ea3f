-- What refresh policies would newly delete, and which time zones the server does not know. $1 time zones. In step:
-- $2 the OIDs of the hypertables that aggregates are kept in, $3 their columns of time; $4 and $5 the coming
-- beginnings of their windows, as an age and as a whole number, $6 and $7 the ends; $8 whether a window is in
-- force now (1), and $9 to $12 that one; $13 what each policy is called. NULL is an open end. One row a finding:
--   deletes            what the aggregate keeps in the window of a policy (`of`) although what it reads, `schema` and
--                      `name`, has no chunk for all of that time, or begins later, as XML: only so can one query ask each of its
--                      own table. `parts` counts the buckets that chunks are gone of a part of. The server refreshes
--                      only what its logs say was changed since, as a chunk that goes is: the rest stays as it is.
--                      Nothing where the role may not read one of the two
--   unknown time zone  one of the former, by its `name`
WITH asked AS (
    SELECT a.*
      FROM ROWS FROM (pg_catalog.unnest($2::oid[]), pg_catalog.unnest($3::text[]),
                      pg_catalog.unnest($4::text[]), pg_catalog.unnest($5::bigint[]),
                      pg_catalog.unnest($6::text[]), pg_catalog.unnest($7::bigint[]), pg_catalog.unnest($8::bigint[]),
                      pg_catalog.unnest($9::text[]), pg_catalog.unnest($10::bigint[]),
                      pg_catalog.unnest($11::text[]), pg_catalog.unnest($12::bigint[]), pg_catalog.unnest($13::text[]))
           AS a (oid, bucket, start_age, start_number, end_age, end_number, in_force,
                 had_start_age, had_start_number, had_end_age, had_end_number, of)
), kept_in AS (
    SELECT k.*, h.id AS mat_hypertable_id, a.raw_hypertable_id, pg_catalog.format_type(t.atttypid, NULL) AS type,
           CASE t.atttypid WHEN 'pg_catalog.timestamptz'::pg_catalog.regtype THEN '_timescaledb_functions.to_timestamp'
                           WHEN 'pg_catalog.timestamp'::pg_catalog.regtype THEN '_timescaledb_functions.to_timestamp_without_timezone'
                           WHEN 'pg_catalog.date'::pg_catalog.regtype THEN '_timescaledb_functions.to_date'
                           ELSE 'pg_catalog.int8' END AS from_internal,
           pg_catalog.to_jsonb(b) AS by_function, pg_catalog.to_jsonb(a) AS itself
      FROM asked AS k
      JOIN pg_catalog.pg_attribute AS t ON t.attrelid = k.oid AND t.attname = k.bucket AND NOT t.attisdropped
      JOIN pg_catalog.pg_class AS c ON c.oid = k.oid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      JOIN _timescaledb_catalog.hypertable AS h ON h.schema_name = n.nspname AND h.table_name = c.relname
      JOIN _timescaledb_catalog.continuous_agg AS a ON a.mat_hypertable_id = h.id
      LEFT JOIN _timescaledb_catalog.continuous_aggs_bucket_function AS b ON b.mat_hypertable_id = h.id
), bounded AS (
    SELECT k.*,
           pg_catalog.format('(%s) AND (%s) AND NOT (%s AND (%s) AND (%s))',
               COALESCE(pg_catalog.format('m.%I >= ', k.bucket) || COALESCE(
                   '(pg_catalog.now() - ' || pg_catalog.quote_literal(k.start_age) || '::pg_catalog.interval)::' || k.type,
                   pg_catalog.quote_literal(k.start_number) || '::pg_catalog.int8'), 'true'),
               COALESCE(pg_catalog.format('m.%I < ', k.bucket) || COALESCE(
                   '(pg_catalog.now() - ' || pg_catalog.quote_literal(k.end_age) || '::pg_catalog.interval)::' || k.type,
                   pg_catalog.quote_literal(k.end_number) || '::pg_catalog.int8'), 'true'),
               CASE WHEN k.in_force = 1 THEN 'true' ELSE 'false' END,
               COALESCE(pg_catalog.format('m.%I >= ', k.bucket) || COALESCE(
                   '(pg_catalog.now() - ' || pg_catalog.quote_literal(k.had_start_age) || '::pg_catalog.interval)::' || k.type,
                   pg_catalog.quote_literal(k.had_start_number) || '::pg_catalog.int8'), 'true'),
               COALESCE(pg_catalog.format('m.%I < ', k.bucket) || COALESCE(
                   '(pg_catalog.now() - ' || pg_catalog.quote_literal(k.had_end_age) || '::pg_catalog.interval)::' || k.type,
                   pg_catalog.quote_literal(k.had_end_number) || '::pg_catalog.int8'), 'true')) AS window,
           COALESCE(k.by_function ->> 'bucket_width',
                    CASE k.from_internal WHEN 'pg_catalog.int8' THEN k.itself ->> 'bucket_width'
                                         ELSE (k.itself ->> 'bucket_width') || ' microseconds' END) AS width,
           COALESCE(NULLIF(k.by_function ->> 'bucket_timezone', ''),
                    NULLIF(k.by_function ->> 'timezone', ''), 'UTC') AS zone
      FROM kept_in AS k
), wanted AS (
    SELECT b.*, d.id AS source_dimension, d.column_name AS source_time,
           r.schema_name AS source_schema, r.table_name AS source_name,
           COALESCE(p.user_view_schema, r.schema_name) AS read_schema,
           COALESCE(p.user_view_name, r.table_name) AS read_name,
           CASE WHEN b.width IS NULL THEN pg_catalog.format('m.%I', b.bucket)
                WHEN b.from_internal = '_timescaledb_functions.to_timestamp' THEN pg_catalog.format(
                    '((m.%1$I AT TIME ZONE %2$L) + %3$L::pg_catalog.interval) AT TIME ZONE %2$L', b.bucket, b.zone, b.width)
                WHEN b.from_internal = '_timescaledb_functions.to_timestamp_without_timezone' THEN pg_catalog.format(
                    'm.%I + %L::pg_catalog.interval', b.bucket, b.width)
                WHEN b.from_internal = '_timescaledb_functions.to_date' THEN pg_catalog.format(
                    '(m.%I + %L::pg_catalog.interval)::pg_catalog.date', b.bucket, b.width)
                ELSE pg_catalog.format('m.%I + %L::pg_catalog.int8', b.bucket, b.width) END AS ends
      FROM bounded AS b
      JOIN _timescaledb_catalog.hypertable AS r ON r.id = b.raw_hypertable_id
      LEFT JOIN _timescaledb_catalog.continuous_agg AS p ON p.mat_hypertable_id = r.id
      JOIN LATERAL (SELECT d.id, d.column_name FROM _timescaledb_catalog.dimension AS d
                     WHERE d.hypertable_id = r.id AND d.num_slices IS NULL
                     ORDER BY d.id LIMIT 1) AS d ON true
), slices AS MATERIALIZED (
    SELECT s.dimension_id, s.range_start, s.range_end,
           pg_catalog.max(s.range_end) OVER (PARTITION BY s.dimension_id ORDER BY s.range_start, s.range_end
                                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
      FROM _timescaledb_catalog.dimension_slice AS s
     WHERE s.dimension_id IN (SELECT w.source_dimension FROM wanted AS w)
       AND EXISTS (SELECT FROM _timescaledb_catalog.chunk_constraint AS k
                     JOIN _timescaledb_catalog.chunk AS c ON c.id = k.chunk_id
                    WHERE k.dimension_slice_id = s.id
                      AND (pg_catalog.to_jsonb(c) ->> 'dropped')::boolean IS NOT TRUE)
), gaps AS (
    SELECT d.dimension_id,
           pg_catalog.array_agg(d.begins ORDER BY d.begins NULLS FIRST) AS begins,
           pg_catalog.array_agg(d.ends ORDER BY d.begins NULLS FIRST) AS ends
      FROM (SELECT s.dimension_id, s.before AS begins, s.range_start AS ends
              FROM slices AS s WHERE s.before IS NULL OR s.before < s.range_start
             UNION ALL
            SELECT w.dimension_id, (SELECT pg_catalog.max(s.range_end) FROM slices AS s WHERE s.dimension_id = w.dimension_id), NULL
              FROM (SELECT DISTINCT w.source_dimension FROM wanted AS w) AS w (dimension_id)) AS d
     GROUP BY d.dimension_id
)
SELECT 'deletes'::text AS what, w.oid::bigint AS oid, w.of, w.read_schema::text AS schema, w.read_name::text AS name,
       CASE WHEN pg_catalog.has_table_privilege(w.oid, 'SELECT')
             AND pg_catalog.has_table_privilege(pg_catalog.format('%I.%I', w.source_schema, w.source_name), 'SELECT') THEN
           pg_catalog.query_to_xml(pg_catalog.format(
               'WITH g AS MATERIALIZED ('
               ' SELECT %1$s(g.begins) AS begins, %1$s(g.ends) AS ends'
               ' FROM ROWS FROM (pg_catalog.unnest(%2$L::bigint[]), pg_catalog.unnest(%3$L::bigint[])) AS g (begins, ends)'
               '), changed AS MATERIALIZED ('
               ' SELECT l.lowest_modified_value AS lowest, l.greatest_modified_value AS greatest'
               ' FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log AS l'
               ' WHERE l.materialization_id = %4$s'
               ' UNION ALL SELECT l.lowest_modified_value, l.greatest_modified_value'
               ' FROM _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log AS l'
               ' WHERE l.hypertable_id = %5$s'
               '), s AS MATERIALIZED ('
               ' SELECT pg_catalog.min(r.%6$I) AS since FROM %7$I.%8$I AS r'
               '), m AS ('
               ' SELECT m.%9$I AS begins, %10$s AS ends, pg_catalog.count(*) AS rows FROM %11$s AS m WHERE %12$s GROUP BY 1, 2'
               '), k AS ('
               ' SELECT m.begins, m.rows,'
               ' s.since IS NULL OR m.ends <= s.since OR EXISTS (SELECT FROM g'
               ' WHERE (g.begins IS NULL OR g.begins <= m.begins) AND (g.ends IS NULL OR g.ends >= m.ends)) AS gone,'
               ' EXISTS (SELECT FROM g WHERE g.ends > m.begins AND (g.begins IS NULL OR g.begins < m.ends)) AS part'
               ' FROM m CROSS JOIN s WHERE EXISTS (SELECT FROM changed AS c'
               ' WHERE c.greatest >= _timescaledb_functions.time_to_internal(m.begins)'
               ' AND c.lowest <= _timescaledb_functions.time_to_internal(m.ends))'
               ') SELECT pg_catalog.count(*) FILTER (WHERE k.gone) AS buckets,'
               ' COALESCE(pg_catalog.sum(k.rows) FILTER (WHERE k.gone), 0) AS rows,'
               ' pg_catalog.min(k.begins) FILTER (WHERE k.gone) AS first,'
               ' pg_catalog.max(k.begins) FILTER (WHERE k.gone) AS last,'
               ' pg_catalog.count(*) FILTER (WHERE k.part AND NOT k.gone) AS parts,'
               ' pg_catalog.min(k.begins) FILTER (WHERE k.part AND NOT k.gone) AS part_first,'
               ' pg_catalog.max(k.begins) FILTER (WHERE k.part AND NOT k.gone) AS part_last FROM k',
               w.from_internal, g.begins, g.ends, w.mat_hypertable_id, w.raw_hypertable_id, w.source_time,
               w.source_schema, w.source_name, w.bucket, w.ends, w.oid::pg_catalog.regclass, w.window),
               false, true, '')::text END AS xml
  FROM wanted AS w
  JOIN gaps AS g ON g.dimension_id = w.source_dimension
 UNION ALL
SELECT 'unknown time zone', NULL, NULL, NULL, z.name, NULL
  FROM pg_catalog.unnest($1::text[]) AS z (name)
 WHERE z.name !~ '[0-9]'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS t WHERE lower(t.name) = lower(z.name))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_abbrevs AS t WHERE lower(t.abbrev) = lower(z.name))
 ORDER BY 1, 2, 3, 5
