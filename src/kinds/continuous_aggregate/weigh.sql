-- What goes with the continuous aggregates that are dropped or made anew, and whether they can be made.
-- $1 the OIDs of the hypertables that they are kept in, $2 and $3 their names, $4 those of their
-- columns of time; $5 schemas in which one is to be made; $6 and $7 the OIDs and columns of time of those
-- that are filled with what was never filled, $8 and $9 the same of those whose fill was begun and not
-- completed; $11 TimescaleDB's ids of the hypertables of $1; in step, $12 those of $1 that are filled, and $13 and $14
-- the schemas and names of what each is to read. One row a finding:
--   dependant         what reads one of them
--   uses              what else does (`name`), such as a function: `words` says `type` where it is of the type of
--                     its rows
--   holds             what one of them holds, by its chunks, with what the columnstore keeps of those
--   lost              the part of it whose rows in the hypertable that it is filled from are gone, and from
--                     when on they are there, as XML: only so can one query ask each of its own table.
--                     What it reads and is made anew as well is filled from what that reads in turn.
--                     `holes` counts the ranges after that in which the hypertable has no chunk any more
--                     `part` is the bucket that begins before the hypertable's first chunk does, at `part_since`;
--                     `beside` counts those that a later range without a chunk cuts a part of
--   kept              the first time that one of the latter keeps rows of, and what comes right after the
--                     last, as XML; nothing where the role may not read it
--   unfinished        the ranges, of whole buckets and in order, that one of these keeps rows of although what
--                     it reads has no chunk for all of their time, as XML: filled once more, they would be lost or
--                     made of what is left. The bucket that is open has its end where there is no chunk yet: it is
--                     one of these only where something went there, which the logs of invalidations tell. Nothing
--                     where the role may not read it
--   granted           a privilege (`words`) on one of them, on a column of it where `schema` names one, that a role
--                     (`name`; `public` is everybody) has beside the owner; `chunks` is 1 where it may pass it on
--   given_by_default  a role (`name`) that the default privileges of who makes one of them grant something on it
--   owner_lacks       a privilege (`words`) that was revoked from its owner
--   owner_may_not_create  a schema that one of them, or its rows, would be in and in which its owner (`name`) may
--                     not create anything
--   owner_out_of_reach    the owner (`name`) of one of them, that the session's role cannot act as: by the word of
--                     $10, as `pg_has_role` takes it
--   owner_may_not_read    a relation that one of them is to be filled from, and no column of which its owner (`words`)
--                     may read
--   owner_acts_as     a role (`name`) whose privileges the owner (`words`) of one of them has without becoming it;
--                     `schema` says `superuser` where the owner is one
--   commented         the comment (`xml`) on one of them, on a column of it where `schema` names one
--   schema_privilege  a schema in which the role may not create anything
-- An aggregate of another, or a view, depends on the view that its users know. What TimescaleDB makes
-- for an aggregate counts as that.
WITH RECURSIVE chunks AS (
{chunks}
), named AS (
    SELECT a.mat_hypertable_id, a.raw_hypertable_id
      FROM ROWS FROM (pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[])) AS w (schema, name)
      JOIN _timescaledb_catalog.continuous_agg AS a ON a.user_view_schema = w.schema AND a.user_view_name = w.name
), filled_from AS (
    SELECT n.mat_hypertable_id, n.raw_hypertable_id FROM named AS n
     UNION
    SELECT f.mat_hypertable_id, n.raw_hypertable_id
      FROM filled_from AS f JOIN named AS n ON n.mat_hypertable_id = f.raw_hypertable_id
), times AS (
    SELECT t.attrelid AS oid, t.attname::text AS bucket,
           CASE t.atttypid WHEN 'pg_catalog.timestamptz'::pg_catalog.regtype THEN '_timescaledb_functions.to_timestamp'
                           WHEN 'pg_catalog.timestamp'::pg_catalog.regtype THEN '_timescaledb_functions.to_timestamp_without_timezone'
                           WHEN 'pg_catalog.date'::pg_catalog.regtype THEN '_timescaledb_functions.to_date'
                           ELSE 'pg_catalog.int8' END AS from_internal
      FROM pg_catalog.pg_attribute AS t
     WHERE t.attrelid = ANY ($1::oid[] || $8::oid[]) AND t.attnum > 0 AND NOT t.attisdropped
), widths AS (
    SELECT t.oid, t.bucket, t.from_internal, a.mat_hypertable_id, a.raw_hypertable_id,
           COALESCE(pg_catalog.to_jsonb(b) ->> 'bucket_width',
                    CASE t.from_internal WHEN 'pg_catalog.int8' THEN pg_catalog.to_jsonb(a) ->> 'bucket_width'
                                         ELSE (pg_catalog.to_jsonb(a) ->> 'bucket_width') || ' microseconds' END) AS width,
           COALESCE(NULLIF(pg_catalog.to_jsonb(b) ->> 'bucket_timezone', ''),
                    NULLIF(pg_catalog.to_jsonb(b) ->> 'timezone', ''), 'UTC') AS zone
      FROM times AS t
      JOIN pg_catalog.pg_class AS c ON c.oid = t.oid
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      JOIN _timescaledb_catalog.hypertable AS h ON h.schema_name = n.nspname AND h.table_name = c.relname
      JOIN _timescaledb_catalog.continuous_agg AS a ON a.mat_hypertable_id = h.id
      LEFT JOIN _timescaledb_catalog.continuous_aggs_bucket_function AS b ON b.mat_hypertable_id = h.id
), kept_in AS (
    SELECT w.oid, w.bucket, w.from_internal, w.mat_hypertable_id, w.raw_hypertable_id,
           CASE w.from_internal
                WHEN '_timescaledb_functions.to_timestamp' THEN pg_catalog.format(
                    '((m.%1$I AT TIME ZONE %2$L) + %3$L::pg_catalog.interval) AT TIME ZONE %2$L', w.bucket, w.zone, w.width)
                WHEN '_timescaledb_functions.to_timestamp_without_timezone' THEN pg_catalog.format(
                    'm.%I + %L::pg_catalog.interval', w.bucket, w.width)
                WHEN '_timescaledb_functions.to_date' THEN pg_catalog.format(
                    '(m.%I + %L::pg_catalog.interval)::pg_catalog.date', w.bucket, w.width)
                ELSE pg_catalog.format('m.%I + %L::pg_catalog.int8', w.bucket, w.width) END AS ends
      FROM widths AS w
     WHERE w.width IS NOT NULL
), uuids AS (
    SELECT pg_catalog.format('%I.uuid_timestamp', n.nspname) AS told, pg_catalog.format('%I.to_uuidv7_boundary', n.nspname) AS least
      FROM pg_catalog.pg_extension AS e
      JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
     WHERE e.extname = 'timescaledb'
), wanted AS (
    SELECT w.oid, w.schema, w.name, w.bucket, a.mat_hypertable_id, a.raw_hypertable_id,
           r.schema_name AS source_schema, r.table_name AS source_name, d.column_name AS source_time,
           CASE WHEN d.column_type = 'pg_catalog.uuid'::pg_catalog.regtype THEN u.told ELSE '' END AS time_of,
           CASE WHEN d.column_type = 'pg_catalog.uuid'::pg_catalog.regtype THEN u.least ELSE '' END AS least_of,
           COALESCE(p.user_view_schema, r.schema_name) AS read_schema,
           COALESCE(p.user_view_name, r.table_name) AS read_name,
           pg_catalog.to_regclass(pg_catalog.format('%I.%I', w.schema, w.name))::oid AS view,
           d.id AS source_dimension, t.from_internal, COALESCE(k.ends, pg_catalog.format('m.%I', w.bucket)) AS ends
      FROM ROWS FROM (pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::text[]), pg_catalog.unnest($3::text[]),
                      pg_catalog.unnest($4::text[])) AS w (oid, schema, name, bucket)
      JOIN _timescaledb_catalog.continuous_agg AS a ON a.user_view_schema = w.schema AND a.user_view_name = w.name
      JOIN filled_from AS f ON f.mat_hypertable_id = a.mat_hypertable_id
       AND NOT EXISTS (SELECT FROM named AS n WHERE n.mat_hypertable_id = f.raw_hypertable_id)
      JOIN _timescaledb_catalog.hypertable AS r ON r.id = f.raw_hypertable_id
      LEFT JOIN _timescaledb_catalog.continuous_agg AS p ON p.mat_hypertable_id = r.id
      JOIN LATERAL (SELECT d.id, d.column_name, d.column_type FROM _timescaledb_catalog.dimension AS d
                     WHERE d.hypertable_id = r.id AND d.num_slices IS NULL
                     ORDER BY d.id LIMIT 1) AS d ON true
      JOIN times AS t ON t.oid = w.oid AND t.bucket = w.bucket
      LEFT JOIN kept_in AS k ON k.oid = w.oid AND k.bucket = w.bucket
     CROSS JOIN uuids AS u
), unfinished AS (
    SELECT f.oid, f.bucket, k.from_internal, d.id AS source_dimension, k.mat_hypertable_id, k.raw_hypertable_id, k.ends
      FROM ROWS FROM (pg_catalog.unnest($8::oid[]), pg_catalog.unnest($9::text[])) AS f (oid, bucket)
      JOIN kept_in AS k ON k.oid = f.oid AND k.bucket = f.bucket
      JOIN LATERAL (SELECT d.id FROM _timescaledb_catalog.dimension AS d
                     WHERE d.hypertable_id = k.raw_hypertable_id AND d.num_slices IS NULL
                     ORDER BY d.id LIMIT 1) AS d ON true
), filled_by AS (
    SELECT w.source_dimension FROM wanted AS w UNION SELECT f.source_dimension FROM unfinished AS f
), gaps AS (
{gaps filled_by}
), dependants AS (
    SELECT DISTINCT w.oid, c.oid AS dependant, c.relkind, n.nspname, c.relname,
           a.user_view_schema, a.user_view_name
      FROM wanted AS w
      JOIN pg_catalog.pg_depend AS d ON d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = w.view
       AND d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
      JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid
      JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class AND c.oid <> w.view
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
      LEFT JOIN _timescaledb_catalog.continuous_agg AS a
             ON (a.direct_view_schema = n.nspname AND a.direct_view_name = c.relname)
             OR (a.partial_view_schema = n.nspname AND a.partial_view_name = c.relname)
             OR (a.user_view_schema = n.nspname AND a.user_view_name = c.relname)
), users AS (
    SELECT DISTINCT w.oid, s.by_type, d.classid, d.objid, d.objsubid
      FROM wanted AS w
      JOIN pg_catalog.pg_class AS c ON c.oid = w.view
      JOIN pg_catalog.pg_type AS t ON t.oid = c.reltype
     CROSS JOIN LATERAL (VALUES ('pg_catalog.pg_class'::pg_catalog.regclass::oid, w.view, false),
                                ('pg_catalog.pg_type'::pg_catalog.regclass::oid, t.oid, true),
                                ('pg_catalog.pg_type'::pg_catalog.regclass::oid, t.typarray, true)) AS s (class, oid, by_type)
      JOIN pg_catalog.pg_depend AS d ON d.refclassid = s.class AND d.refobjid = s.oid AND d.deptype = 'n'
     WHERE d.classid <> 'pg_catalog.pg_rewrite'::pg_catalog.regclass
        OR (s.by_type AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
                                       WHERE e.classid = d.classid AND e.objid = d.objid AND e.refobjid = w.view
                                         AND e.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass))
), views AS (
    SELECT w.oid, c.oid AS view, c.relowner, c.relacl, c.relnamespace
      FROM (SELECT DISTINCT v.oid, v.view FROM wanted AS v) AS w
      JOIN pg_catalog.pg_class AS c ON c.oid = w.view
), granted AS (
    SELECT v.oid, NULL::text AS column_name, a.grantee, a.privilege_type, a.is_grantable
      FROM views AS v CROSS JOIN LATERAL pg_catalog.aclexplode(v.relacl) AS a
     WHERE a.grantee <> v.relowner
     UNION ALL
    SELECT v.oid, t.attname::text, a.grantee, a.privilege_type, a.is_grantable
      FROM views AS v
      JOIN pg_catalog.pg_attribute AS t ON t.attrelid = v.view AND NOT t.attisdropped
     CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) AS a
     WHERE a.grantee <> v.relowner
)
SELECT DISTINCT 'dependant'::text AS finding, d.oid::bigint AS oid,
       CASE WHEN d.user_view_name IS NOT NULL THEN 'continuous aggregate'
            WHEN d.relkind = 'm' THEN 'materialized view' ELSE 'view' END AS words,
       COALESCE(d.user_view_schema, d.nspname)::text AS schema, COALESCE(d.user_view_name, d.relname)::text AS name,
       NULL::bigint AS chunks, NULL::bigint AS bytes, NULL::bigint[] AS chunk_ids, NULL::text AS xml
  FROM dependants AS d
 UNION ALL
SELECT 'uses', u.oid::bigint, CASE WHEN u.by_type THEN 'type' ELSE 'reads' END, NULL,
       pg_catalog.pg_describe_object(u.classid, u.objid, u.objsubid), NULL, NULL, NULL, NULL
  FROM (SELECT DISTINCT u.oid, u.by_type,
               CASE WHEN r.oid IS NULL THEN u.classid ELSE 'pg_catalog.pg_class'::pg_catalog.regclass END AS classid,
               COALESCE(r.ev_class, u.objid) AS objid,
               CASE WHEN r.oid IS NULL AND c.oid IS NULL THEN u.objsubid ELSE 0 END AS objsubid
          FROM users AS u
          -- Of a view, neither its columns nor its rule are named.
          LEFT JOIN pg_catalog.pg_rewrite AS r
                 ON u.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND r.oid = u.objid
          LEFT JOIN pg_catalog.pg_class AS c
                 ON u.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND c.oid = u.objid AND c.relkind IN ('v', 'm')) AS u
 UNION ALL
SELECT 'holds', w.oid::bigint, NULL, NULL, NULL,
       pg_catalog.count(i.inhrelid),
       pg_catalog.sum(pg_catalog.pg_total_relation_size(i.inhrelid)
                      + COALESCE(pg_catalog.pg_total_relation_size(k.compressed), 0))::bigint,
       pg_catalog.array_agg(i.inhrelid::bigint ORDER BY i.inhrelid) FILTER (WHERE i.inhrelid IS NOT NULL), NULL
  FROM wanted AS w
  LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhparent = w.oid
  LEFT JOIN chunks AS k ON k.oid = i.inhrelid
 GROUP BY w.oid
 UNION ALL
SELECT 'lost', w.oid::bigint, NULL, w.read_schema::text, w.read_name::text, NULL, NULL, NULL,
       pg_catalog.query_to_xml(pg_catalog.format(
           'WITH g AS MATERIALIZED ('
           ' SELECT %6$s(g.begins) AS begins, %6$s(g.ends) AS ends, e.bucket AS whole,'
           ' CASE WHEN p.ends > %6$s(g.begins) THEN p.bucket END AS before,'
           ' CASE WHEN e.bucket < %6$s(g.ends) AND e.ends > %6$s(g.begins) THEN e.bucket END AS after'
           ' FROM ROWS FROM (pg_catalog.unnest(%7$L::bigint[]), pg_catalog.unnest(%8$L::bigint[])) AS g (begins, ends)'
           ' LEFT JOIN LATERAL (SELECT m.%1$I AS bucket, %10$s AS ends FROM %5$s AS m WHERE m.%1$I <='
           ' (SELECT %11$s(r.%2$I) FROM %3$I.%4$I AS r WHERE r.%2$I >= %12$s(%6$s(g.ends)) ORDER BY r.%2$I LIMIT 1)'
           ' ORDER BY m.%1$I DESC LIMIT 1) AS e ON true'
           ' LEFT JOIN LATERAL (SELECT m.%1$I AS bucket, %10$s AS ends FROM %5$s AS m WHERE m.%1$I < %6$s(g.begins)'
           ' ORDER BY m.%1$I DESC LIMIT 1) AS p ON g.ends IS NOT NULL'
           ' WHERE g.begins IS NOT NULL'
           '), h AS MATERIALIZED ('
           ' SELECT g.begins, g.ends, g.whole FROM g WHERE EXISTS (SELECT FROM %5$s AS k'
           ' WHERE k.%1$I >= g.begins AND (g.whole IS NULL OR k.%1$I < g.whole))'
           ') SELECT s.since, pg_catalog.min(m.%1$I) AS oldest, pg_catalog.max(m.%1$I) AS newest,'
           ' pg_catalog.count(m.%1$I) AS total,'
           ' pg_catalog.count(DISTINCT m.%1$I) FILTER (WHERE l.lost) AS buckets,'
           ' pg_catalog.count(m.%1$I) FILTER (WHERE l.lost) AS rows,'
           ' pg_catalog.min(m.%1$I) FILTER (WHERE l.lost) AS first,'
           ' pg_catalog.max(m.%1$I) FILTER (WHERE l.lost) AS last,'
           ' pg_catalog.bool_or(s.since IS NULL OR m.%1$I < b.whole) AS beginning,'
           ' (SELECT pg_catalog.count(*) FROM h) AS holes,'
           ' (SELECT pg_catalog.min(h.begins) FROM h) AS holes_from, (SELECT pg_catalog.max(h.ends) FROM h) AS holes_until,'
           ' CASE WHEN pg_catalog.max(b.whole) < %6$s(%9$L::bigint) THEN pg_catalog.max(b.whole) END AS part,'
           ' %6$s(%9$L::bigint) AS part_since,'
           ' (SELECT pg_catalog.count(*) FROM (SELECT g.before FROM g WHERE g.before IS NOT NULL'
           ' UNION SELECT g.after FROM g WHERE g.after IS NOT NULL) AS o) AS beside,'
           ' (SELECT pg_catalog.min(LEAST(g.before, g.after)) FROM g) AS beside_first,'
           ' (SELECT pg_catalog.max(GREATEST(g.before, g.after)) FROM g) AS beside_last'
           ' FROM (SELECT (SELECT %11$s(r.%2$I) FROM %3$I.%4$I AS r ORDER BY r.%2$I LIMIT 1) AS since) AS s'
           ' CROSS JOIN LATERAL (SELECT pg_catalog.max(o.%1$I) AS whole FROM %5$s AS o WHERE o.%1$I <= s.since) AS b'
           ' LEFT JOIN %5$s AS m ON true'
           ' CROSS JOIN LATERAL (SELECT s.since IS NULL OR m.%1$I < b.whole OR EXISTS (SELECT FROM h'
           ' WHERE m.%1$I >= h.begins AND (h.whole IS NULL OR m.%1$I < h.whole)) AS lost) AS l'
           ' GROUP BY s.since',
           w.bucket, w.source_time, w.source_schema, w.source_name, w.oid::pg_catalog.regclass,
           w.from_internal, g.begins, g.ends, CASE WHEN g.begins[1] IS NULL THEN g.ends[1] END,
           w.ends, w.time_of, w.least_of),
           false, true, '')::text
  FROM wanted AS w
  JOIN gaps AS g ON g.dimension_id = w.source_dimension
 UNION ALL
SELECT 'kept', f.oid::bigint, NULL, NULL, NULL, NULL, NULL, NULL,
       CASE WHEN pg_catalog.has_table_privilege(f.oid, 'SELECT') THEN
           pg_catalog.query_to_xml(pg_catalog.format(
               'SELECT pg_catalog.min(m.%1$I)::text AS first, (pg_catalog.max(m.%1$I) + %2$s)::text AS after FROM %3$s AS m',
               f.bucket,
               CASE WHEN t.atttypid IN ('pg_catalog.timestamptz'::pg_catalog.regtype,
                                        'pg_catalog.timestamp'::pg_catalog.regtype)
                    THEN 'pg_catalog.interval ''1 microsecond''' ELSE '1' END,
               f.oid::pg_catalog.regclass), false, true, '')::text END
  FROM ROWS FROM (pg_catalog.unnest($6::oid[]), pg_catalog.unnest($7::text[])) AS f (oid, bucket)
  JOIN pg_catalog.pg_attribute AS t ON t.attrelid = f.oid AND t.attname = f.bucket AND NOT t.attisdropped
 UNION ALL
SELECT 'unfinished', f.oid::bigint, NULL, NULL, NULL, NULL, NULL, NULL,
       CASE WHEN pg_catalog.has_table_privilege(f.oid, 'SELECT') THEN
           pg_catalog.query_to_xml(pg_catalog.format(
               'WITH g AS MATERIALIZED ('
               ' SELECT %1$s(g.begins) AS begins, %1$s(g.ends) AS ends, g.begins AS since'
               ' FROM ROWS FROM (pg_catalog.unnest(%2$L::bigint[]), pg_catalog.unnest(%3$L::bigint[])) AS g (begins, ends)'
               '), m AS ('
               ' SELECT DISTINCT m.%5$I AS begins, %6$s AS ends FROM %4$s AS m'
               '), kept AS ('
               ' SELECT m.begins, m.ends, pg_catalog.lag(m.ends) OVER (ORDER BY m.begins) AS before FROM m'
               ' WHERE EXISTS (SELECT FROM g WHERE (g.begins IS NULL OR m.ends > g.begins)'
               ' AND (g.ends IS NULL OR m.begins < g.ends)'
               ' AND (g.ends IS NOT NULL OR g.begins IS NULL OR m.begins >= g.begins OR EXISTS ('
               ' SELECT FROM _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log AS l'
               ' WHERE l.hypertable_id = %7$s AND l.greatest_modified_value >= g.since'
               ' AND l.lowest_modified_value < _timescaledb_functions.time_to_internal(m.ends)) OR EXISTS ('
               ' SELECT FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log AS l'
               ' WHERE l.materialization_id = %8$s AND l.greatest_modified_value >= g.since'
               ' AND l.lowest_modified_value < _timescaledb_functions.time_to_internal(m.ends))))'
               '), ranges AS ('
               ' SELECT k.begins, k.ends, pg_catalog.count(*) FILTER (WHERE k.before IS NULL OR k.before < k.begins'
               ' AND NOT EXISTS (SELECT FROM g WHERE (g.begins IS NULL OR g.begins <= k.before)'
               ' AND (g.ends IS NULL OR g.ends >= k.begins))) OVER (ORDER BY k.begins) AS number FROM kept AS k'
               ') SELECT pg_catalog.min(r.begins)::text AS begins, pg_catalog.max(r.ends)::text AS ends,'
               ' pg_catalog.count(*) AS buckets FROM ranges AS r GROUP BY r.number ORDER BY r.number',
               f.from_internal, g.begins, g.ends, f.oid::pg_catalog.regclass, f.bucket, f.ends, f.raw_hypertable_id, f.mat_hypertable_id), false, true, '')::text END
  FROM unfinished AS f
  JOIN gaps AS g ON g.dimension_id = f.source_dimension
 UNION ALL
SELECT 'commented', v.oid::bigint, NULL, t.attname::text, NULL, NULL, NULL, NULL, d.description
  FROM views AS v
  JOIN pg_catalog.pg_description AS d ON d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objoid = v.view
  LEFT JOIN pg_catalog.pg_attribute AS t ON t.attrelid = v.view AND t.attnum = d.objsubid AND d.objsubid > 0
 UNION ALL
SELECT 'granted', g.oid::bigint, pg_catalog.lower(g.privilege_type), g.column_name,
       COALESCE(r.rolname::text, 'public'), pg_catalog.bool_or(g.is_grantable)::integer::bigint, NULL, NULL, NULL
  FROM granted AS g
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = g.grantee
 GROUP BY g.oid, g.privilege_type, g.column_name, r.rolname
 UNION ALL
SELECT DISTINCT 'given_by_default', v.oid::bigint, NULL, NULL, COALESCE(r.rolname::text, 'public'),
       NULL::bigint, NULL::bigint, NULL::bigint[], NULL
  FROM views AS v
  JOIN pg_catalog.pg_roles AS u ON u.rolname = current_user
  JOIN pg_catalog.pg_default_acl AS d ON d.defaclrole = u.oid AND d.defaclobjtype = 'r'
   AND d.defaclnamespace IN (0, v.relnamespace)
 CROSS JOIN LATERAL pg_catalog.aclexplode(d.defaclacl) AS a
  LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = a.grantee
 WHERE a.grantee NOT IN (u.oid, v.relowner)
 UNION ALL
SELECT 'owner_lacks', v.oid::bigint, pg_catalog.lower(a.privilege_type), NULL, o.rolname::text, NULL, NULL, NULL, NULL
  FROM views AS v
  JOIN pg_catalog.pg_roles AS o ON o.oid = v.relowner
 CROSS JOIN LATERAL pg_catalog.aclexplode(pg_catalog.acldefault('r', v.relowner)) AS a
 WHERE v.relacl IS NOT NULL
   AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(v.relacl) AS b
                    WHERE b.grantee = v.relowner AND b.privilege_type = a.privilege_type)
 UNION ALL
SELECT 'owner_may_not_create', v.oid::bigint, NULL, n.nspname::text, o.rolname::text, NULL, NULL, NULL, NULL
  FROM views AS v
  JOIN pg_catalog.pg_roles AS o ON o.oid = v.relowner AND o.rolname <> current_user
  JOIN pg_catalog.pg_namespace AS n ON n.oid = v.relnamespace OR n.nspname = '_timescaledb_internal'
 WHERE NOT pg_catalog.has_schema_privilege(o.oid, n.oid, 'CREATE')
 UNION ALL
SELECT 'owner_out_of_reach', v.oid::bigint, NULL, NULL, o.rolname::text, NULL, NULL, NULL, NULL
  FROM views AS v
  JOIN pg_catalog.pg_roles AS o ON o.oid = v.relowner AND o.rolname <> current_user
 WHERE NOT pg_catalog.pg_has_role(o.oid, $10::text)
 UNION ALL
SELECT 'owner_may_not_read', v.oid::bigint, o.rolname::text, s.schema, s.name, NULL, NULL, NULL, NULL
  FROM ROWS FROM (pg_catalog.unnest($12::oid[]), pg_catalog.unnest($13::text[]), pg_catalog.unnest($14::text[]))
       AS s (oid, schema, name)
  JOIN views AS v ON v.oid = s.oid
  JOIN pg_catalog.pg_roles AS o ON o.oid = v.relowner
  JOIN pg_catalog.pg_namespace AS n ON n.nspname = s.schema
  JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = s.name
 WHERE NOT pg_catalog.has_table_privilege(o.oid, c.oid, 'SELECT')
   AND NOT pg_catalog.has_any_column_privilege(o.oid, c.oid, 'SELECT')
 UNION ALL
SELECT DISTINCT 'owner_acts_as'::text, v.oid::bigint, o.rolname::text, CASE WHEN o.rolsuper THEN 'superuser' END,
       r.rolname::text, NULL::bigint, NULL::bigint, NULL::bigint[], NULL
  FROM views AS v
  JOIN pg_catalog.pg_roles AS o ON o.oid = v.relowner
  JOIN pg_catalog.pg_roles AS r ON CASE WHEN o.rolsuper THEN r.oid = o.oid
                                        ELSE r.oid <> o.oid AND pg_catalog.pg_has_role(o.oid, r.oid, 'USAGE') END
 UNION ALL
SELECT 'schema_privilege', NULL, NULL, s.nspname::text, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.pg_namespace AS s
 WHERE s.nspname = ANY ($5::text[]) AND NOT pg_catalog.has_schema_privilege(s.oid, 'CREATE')
 UNION ALL
SELECT 'no_schema', NULL, NULL, s.name, NULL, NULL, NULL, NULL, NULL
  FROM pg_catalog.unnest($5::text[]) AS s (name)
 WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = s.name)
 ORDER BY 1, 2, 4, 5, 3
