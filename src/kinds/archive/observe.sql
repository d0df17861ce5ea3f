-- The chunks that are old enough for an archive. In step: $1 the hypertables, $2 the ages by row time,
-- $3 ages by creation (none), $4 the whole numbers before which rows are old, $5 the type of whole-number
-- time. $6 the hypertables' ids. In step: $7 the names of the policies' own jobs, $8 and $9 what they run, $10 what
-- they are given, $11 whether they are paused. $12 all hypertables that are looked at. $13, in step with $1, how long the
-- store keeps what it has; by the calendar in UTC, as what expires is counted. One row a chunk, and one without a chunk for a table with none. A
-- chunk's `mark` is what an earlier run left on it; one that is frozen and bears none is somebody's to keep.
-- What somebody has made or dropped since this look began is not in it: functions see such a chunk, and tables
-- do not.
WITH RECURSIVE wanted AS (
    SELECT w.oid, w.after::interval, w.created_before::interval, w.before, w.counted_in, w.id, w.keep::interval
      FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                      pg_catalog.unnest($4::bigint[]), pg_catalog.unnest($5::text[]), pg_catalog.unnest($6::bigint[]),
                      pg_catalog.unnest($13::text[]))
           AS w (oid, after, created_before, before, counted_in, id, keep)
), {jobs}, {frozen}, shown AS (
    SELECT oid FROM wanted UNION SELECT oid FROM begun
), due AS (
{due wanted}
), chunks AS (
{chunks}
), seen AS (
    SELECT d.oid, d.chunk, n.nspname AS chunk_schema, c.relname AS chunk_name,
           v.range_start, v.range_start_integer, v.range_end, v.range_end_integer,
           ch.status & 4 <> 0 AS frozen,
           COALESCE(v.range_end < (pg_catalog.now() AT TIME ZONE 'UTC' - w.keep) AT TIME ZONE 'UTC', false) AS outlived,
           pg_catalog.obj_description(d.chunk, 'pg_class') AS mark,
           COALESCE(pg_catalog.pg_total_relation_size(d.chunk), 0)
               + COALESCE(pg_catalog.pg_total_relation_size(k.compressed), 0) AS bytes
      FROM due AS d
      JOIN wanted AS w ON w.oid = d.oid
      JOIN chunks AS k ON k.oid = d.chunk
      JOIN _timescaledb_catalog.chunk AS ch ON ch.id = k.id
      JOIN pg_catalog.pg_class AS c ON c.oid = d.chunk
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      JOIN timescaledb_information.chunks AS v ON v.chunk_schema = n.nspname AND v.chunk_name = c.relname
)
SELECT hn.nspname AS schema, h.relname AS name,
       s.chunk, s.chunk_schema, s.chunk_name,
       COALESCE(s.range_start::text, s.range_start_integer::text) AS range_start,
       COALESCE(s.range_end::text, s.range_end_integer::text) AS range_end,
       s.frozen, s.outlived, s.mark, s.bytes,
       r.by AS refreshed, r.job AS refreshed_job, r.looks_back, r.looks_back_integer,
       b.by AS dropped, b.job AS dropped_job, b.how AS dropped_how, b.document AS dropped_document,
       b.paused AS dropped_paused,
       f.frozen_chunks, f.frozen_names
  FROM shown AS w
  JOIN pg_catalog.pg_class AS h ON h.oid = w.oid
  JOIN pg_catalog.pg_namespace AS hn ON hn.oid = h.relnamespace
  LEFT JOIN refreshed AS r ON r.oid = w.oid
  LEFT JOIN dropped AS b ON b.oid = w.oid
  LEFT JOIN begun AS f ON f.oid = w.oid
  LEFT JOIN seen AS s ON s.oid = w.oid
 ORDER BY hn.nspname, h.relname, s.range_start, s.range_start_integer, s.chunk_name
