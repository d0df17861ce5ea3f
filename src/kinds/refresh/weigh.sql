-- What refresh policies would newly delete, and which time zones the server does not know. $1 time zones. In step:
-- $2 the OIDs of the hypertables that aggregates are kept in, $3 their columns of time; $4 and $5 the coming
-- beginnings of their windows, as an age and as a whole number, $6 and $7 the ends; $8 whether a window is in
-- force now (1), and $9 to $12 that one; $13 what each policy is called. NULL is an open end. One row a finding:
--   deletes            what the aggregate keeps in the window of a policy (`of`) although what it reads, `schema` and
--                      `name`, has no chunk for all of that time, or begins later, as XML: only so can one query ask each of its
--                      own table. `parts` counts the buckets that chunks are gone of a part of. The server refreshes
--                      only what its logs say was changed since, as a chunk that goes is: the rest stays as it is.
--                      Nothing where the role may not read one of the two
--   deletes along      an aggregate that reads one of the former, at any depth, and holds something: `schema` and `name`
--                      are its own, `rows` what it has for the time from the first to the last bucket that goes there, as
--                      XML; `refreshes` is how many policies refresh it. Nothing where the role may not read it
--   unknown time zone  one of the former, by its `name`
WITH RECURSIVE asked AS (
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
), uuids AS (
    SELECT pg_catalog.format('%I.uuid_timestamp', n.nspname) AS told, pg_catalog.format('%I.to_uuidv7_boundary', n.nspname) AS least
      FROM pg_catalog.pg_extension AS e
      JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
     WHERE e.extname = 'timescaledb'
), wanted AS (
    SELECT b.*, d.id AS source_dimension, d.column_name AS source_time,
           CASE WHEN d.column_type = 'pg_catalog.uuid'::pg_catalog.regtype THEN u.told ELSE '' END AS time_of,
           CASE WHEN d.column_type = 'pg_catalog.uuid'::pg_catalog.regtype THEN u.least ELSE '' END AS least_of,
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
      JOIN LATERAL (SELECT d.id, d.column_name, d.column_type FROM _timescaledb_catalog.dimension AS d
                     WHERE d.hypertable_id = r.id AND d.num_slices IS NULL
                     ORDER BY d.id LIMIT 1) AS d ON true
     CROSS JOIN uuids AS u
), gaps AS (
{gaps wanted}
), counted AS (
    SELECT w.oid, w.of, w.mat_hypertable_id, w.read_schema, w.read_name,
           pg_catalog.has_table_privilege(w.oid, 'SELECT')
           AND pg_catalog.has_table_privilege(pg_catalog.format('%I.%I', w.source_schema, w.source_name), 'SELECT') AS readable,
           pg_catalog.format(
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
               ' SELECT (SELECT %13$s(r.%6$I) FROM %7$I.%8$I AS r ORDER BY r.%6$I LIMIT 1) AS since'
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
               ') ',
               w.from_internal, g.begins, g.ends, w.mat_hypertable_id, w.raw_hypertable_id, w.source_time,
               w.source_schema, w.source_name, w.bucket, w.ends, w.oid::pg_catalog.regclass, w.window, w.time_of) AS gone
      FROM wanted AS w
      JOIN gaps AS g ON g.dimension_id = w.source_dimension
), along AS (
    SELECT c.oid, c.of, c.gone, c.readable, a.mat_hypertable_id, a.user_view_schema, a.user_view_name
      FROM counted AS c
      JOIN _timescaledb_catalog.continuous_agg AS a ON a.raw_hypertable_id = c.mat_hypertable_id
     UNION ALL
    SELECT l.oid, l.of, l.gone, l.readable, a.mat_hypertable_id, a.user_view_schema, a.user_view_name
      FROM along AS l
      JOIN _timescaledb_catalog.continuous_agg AS a ON a.raw_hypertable_id = l.mat_hypertable_id
)
SELECT 'deletes'::text AS what, c.oid::bigint AS oid, c.of, c.read_schema::text AS schema, c.read_name::text AS name,
       CASE WHEN c.readable THEN pg_catalog.query_to_xml(c.gone ||
           'SELECT pg_catalog.count(*) FILTER (WHERE k.gone) AS buckets,'
           ' COALESCE(pg_catalog.sum(k.rows) FILTER (WHERE k.gone), 0) AS rows,'
           ' pg_catalog.min(k.begins) FILTER (WHERE k.gone) AS first,'
           ' pg_catalog.max(k.begins) FILTER (WHERE k.gone) AS last,'
           ' pg_catalog.count(*) FILTER (WHERE k.part AND NOT k.gone) AS parts,'
           ' pg_catalog.min(k.begins) FILTER (WHERE k.part AND NOT k.gone) AS part_first,'
           ' pg_catalog.max(k.begins) FILTER (WHERE k.part AND NOT k.gone) AS part_last FROM k',
           false, true, '')::text END AS xml, NULL::bigint AS refreshes
  FROM counted AS c
 UNION ALL
SELECT 'deletes along', l.oid::bigint, l.of, l.user_view_schema::text, l.user_view_name::text,
       CASE WHEN l.readable AND pg_catalog.has_table_privilege(i.kept_in, 'SELECT') THEN pg_catalog.query_to_xml(l.gone || pg_catalog.format(
           'SELECT pg_catalog.count(*) AS rows FROM %2$s AS o,'
           ' (SELECT pg_catalog.min(k.begins) AS first, pg_catalog.max(k.begins) AS last FROM k WHERE k.gone) AS e'
           ' WHERE o.%1$I <= e.last AND o.%1$I >='
           ' COALESCE((SELECT pg_catalog.max(b.%1$I) FROM %2$s AS b WHERE b.%1$I <= e.first), e.first)',
           d.column_name, i.kept_in),
           false, true, '')::text END,
       (SELECT pg_catalog.count(*) FROM _timescaledb_catalog.bgw_job AS j
         WHERE j.proc_schema = '_timescaledb_functions' AND j.proc_name = 'policy_refresh_continuous_aggregate'
           AND COALESCE(j.config ->> 'mat_hypertable_id', j.hypertable_id::text) = l.mat_hypertable_id::text)
  FROM along AS l
  JOIN _timescaledb_catalog.hypertable AS h ON h.id = l.mat_hypertable_id
  JOIN _timescaledb_catalog.dimension AS d ON d.hypertable_id = h.id AND d.num_slices IS NULL
  JOIN LATERAL (SELECT pg_catalog.format('%I.%I', h.schema_name, h.table_name) AS kept_in) AS i ON true
 WHERE EXISTS (SELECT FROM pg_catalog.pg_inherits AS p WHERE p.inhparent = pg_catalog.to_regclass(i.kept_in))
 UNION ALL
SELECT 'unknown time zone', NULL, NULL, NULL, z.name, NULL, NULL
  FROM pg_catalog.unnest($1::text[]) AS z (name)
 WHERE z.name !~ '[0-9]'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS t WHERE lower(t.name) = lower(z.name))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_abbrevs AS t WHERE lower(t.abbrev) = lower(z.name))
 ORDER BY 1, 2, 3, 5
