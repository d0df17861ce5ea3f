-- What retention policies would newly drop. In step: $1 the relations; $2 to $4 the coming ages by
-- row time, by creation and as the whole number before which rows are old; $5 to $7 those in force now; $8 the type of
-- whole-number time. $9 the hypertables' ids. $10 time zones. $11 to $16 what aggregates are made from: in
-- step, the aggregate, the relation, the schema and name of its hypertable, and the coming age by row
-- time and as such a number. $17 and $18, in step, relations and TimescaleDB's ids of their hypertables: `refreshes` is a
-- refresh policy of an aggregate (`name`, of the schema `oldest`) that reads one, by its job (`chunks`), with where its
-- window begins; NULL is the beginning.
WITH wanted AS (
    SELECT w.oid, w.after::interval, w.created_before::interval, w.before, w.counted_in
      FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                      pg_catalog.unnest($4::bigint[]), pg_catalog.unnest($8::text[]))
           AS w (oid, after, created_before, before, counted_in)
), in_force AS (
    SELECT w.oid, w.after::interval, w.created_before::interval, w.before, w.counted_in
      FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($5::text[]), pg_catalog.unnest($6::text[]),
                      pg_catalog.unnest($7::bigint[]), pg_catalog.unnest($8::text[]))
           AS w (oid, after, created_before, before, counted_in)
), due AS (
{due wanted}
), due_already AS (
{due in_force}
), newly_due AS (
    SELECT oid, chunk FROM due EXCEPT SELECT oid, chunk FROM due_already
), above AS (
    SELECT w.of, w.oid, w.schema, w.name, w.after::interval, w.before
      FROM ROWS FROM (pg_catalog.unnest($11::text[]), pg_catalog.unnest($12::oid[]), pg_catalog.unnest($13::text[]),
                      pg_catalog.unnest($14::text[]), pg_catalog.unnest($15::text[]), pg_catalog.unnest($16::bigint[]))
           AS w (of, oid, schema, name, after, before)
), chunks AS (
{chunks}
), sizes AS (
    SELECT d.oid, d.chunk, c.relnamespace, c.relname,
           CASE WHEN k.compressed IS NULL AND c.reltuples >= 0 THEN c.reltuples END AS rows,
           pg_catalog.pg_total_relation_size(d.chunk)
               + COALESCE(pg_catalog.pg_total_relation_size(k.compressed), 0) AS bytes
      FROM newly_due AS d
      JOIN pg_catalog.pg_class AS c ON c.oid = d.chunk
      LEFT JOIN chunks AS k ON k.oid = d.chunk
)
SELECT 'drops'::text AS what, s.oid, NULL::text AS name,
       pg_catalog.count(*) AS chunks,
       pg_catalog.sum(s.bytes)::bigint AS bytes,
       CASE WHEN pg_catalog.count(*) = pg_catalog.count(s.rows) THEN pg_catalog.sum(s.rows)::bigint END AS rows,
       COALESCE(pg_catalog.min(v.range_start)::text, pg_catalog.min(v.range_start_integer)::text) AS oldest,
       COALESCE(pg_catalog.max(v.range_end)::text, pg_catalog.max(v.range_end_integer)::text) AS newest,
       pg_catalog.array_agg(s.chunk::bigint ORDER BY s.chunk) AS chunk_ids,
       NULL::interval AS reaches, NULL::bigint AS reaches_number
  FROM sizes AS s
  JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
  LEFT JOIN timescaledb_information.chunks AS v ON v.chunk_schema = n.nspname AND v.chunk_name = s.relname
 GROUP BY s.oid
 UNION ALL
SELECT 'fills', a.oid, a.of, NULL, NULL, NULL,
       COALESCE(pg_catalog.min(v.range_start)::text, pg_catalog.min(v.range_start_integer)::text),
       COALESCE(pg_catalog.max(v.range_end)::text, pg_catalog.max(v.range_end_integer)::text), NULL, NULL, NULL
  FROM above AS a
  JOIN timescaledb_information.chunks AS v ON v.hypertable_schema = a.schema AND v.hypertable_name = a.name
 WHERE v.range_end <= pg_catalog.now() - a.after
    OR v.range_end_integer <= a.before
 GROUP BY a.oid, a.of
 UNION ALL
SELECT 'foreign key', k.conrelid, pg_catalog.format('%I.%I', n.nspname, c.relname),
       NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.confrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE k.contype = 'f' AND k.conrelid = ANY ($1)
 UNION ALL
SELECT 'refreshes', r.oid, a.user_view_name::text, j.id, NULL, NULL, a.user_view_schema::text, NULL, NULL,
       CASE pg_catalog.jsonb_typeof(j.config -> 'start_offset')
            WHEN 'string' THEN (j.config ->> 'start_offset')::interval END,
       CASE pg_catalog.jsonb_typeof(j.config -> 'start_offset')
            WHEN 'number' THEN (j.config ->> 'start_offset')::bigint END
  FROM ROWS FROM (pg_catalog.unnest($17::oid[]), pg_catalog.unnest($18::bigint[])) AS r (oid, id)
  JOIN _timescaledb_catalog.continuous_agg AS a ON a.raw_hypertable_id = r.id
  JOIN _timescaledb_catalog.bgw_job AS j ON j.hypertable_id = a.mat_hypertable_id
 WHERE j.proc_schema = '_timescaledb_functions' AND j.proc_name = 'policy_refresh_continuous_aggregate'
 UNION ALL
SELECT 'unknown time zone', NULL, z.name, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.unnest($10::text[]) AS z (name)
 WHERE z.name !~ '[0-9]'
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_names AS t WHERE lower(t.name) = lower(z.name))
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_timezone_abbrevs AS t WHERE lower(t.abbrev) = lower(z.name))
 ORDER BY 1, 2, 3, 4
