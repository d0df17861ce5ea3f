-- What jobs, live or wanted, do to the tables of `wanted`: `refreshed` says which continuous aggregates are
-- refreshed from a table's rows, by which job, and how far back, as an interval or as a number (null where
-- that has no end, or nobody can tell); `dropped` which jobs drop its chunks, and how that is known. A job of
-- somebody's own is known by what its procedure says, and the functions that this calls.
jobs AS MATERIALIZED (
    SELECT j.id::text AS key, j.id::bigint AS job, NULL::text AS document, NOT j.scheduled AS paused,
           j.proc_schema::text AS schema, j.proc_name::text AS name, j.hypertable_id::bigint AS hypertable_id,
           COALESCE(j.config, '{}') AS config,
           j.proc_schema = '_timescaledb_functions' AND j.proc_name LIKE 'policy\_%' AS is_policy
      FROM _timescaledb_catalog.bgw_job AS j
     WHERE j.id >= 1000
     UNION ALL
    SELECT 'document ' || d.document, NULL, d.document, d.paused::boolean, d.schema, d.name, NULL,
           COALESCE(d.config::jsonb, '{}'), d.schema = '_timescaledb_functions' AND d.name LIKE 'policy\_%'
      FROM ROWS FROM (pg_catalog.unnest($7::text[]), pg_catalog.unnest($8::text[]), pg_catalog.unnest($9::text[]),
                      pg_catalog.unnest($10::text[]), pg_catalog.unnest($11::text[]))
           AS d (document, schema, name, config, paused)
     WHERE NOT EXISTS (SELECT FROM _timescaledb_catalog.bgw_job AS j
                        WHERE j.proc_schema = d.schema AND j.proc_name = d.name
                          AND COALESCE(j.config, '{}') = COALESCE(d.config::jsonb, '{}'))
), functions AS MATERIALIZED (
    SELECT p.oid, n.nspname::text AS schema, p.proname::text AS name, p.proargtypes = '23 3802'::oidvector AS is_action,
           '(^|[^[:alnum:]_])' || pg_catalog.regexp_replace(p.proname, '([^[:alnum:]_])', '\\\1', 'g')
               || '"?[[:space:]]*\(' AS call
      FROM pg_catalog.pg_proc AS p
      JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
      JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
     WHERE EXISTS (SELECT FROM jobs WHERE NOT is_policy)
       AND p.prokind IN ('f', 'p') AND l.lanname NOT IN ('internal', 'c')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema')
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS e
                        WHERE e.classid = 'pg_catalog.pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
), called AS (
    SELECT j.key, f.oid, pg_catalog.pg_get_functiondef(f.oid) AS says
      FROM jobs AS j
      JOIN functions AS f ON f.schema = j.schema AND f.name = j.name AND f.is_action
     UNION
    SELECT c.key, f.oid, pg_catalog.pg_get_functiondef(f.oid)
      FROM called AS c
      JOIN functions AS f ON pg_catalog.strpos(pg_catalog.lower(c.says), pg_catalog.lower(f.name)) > 0
                         AND c.says ~* f.call
), works AS MATERIALIZED (
    SELECT j.*, t.says,
           t.says ~* '(^|[^[:alnum:]_])(drop_chunks?|policy_retention)"?[[:space:]]*\('
               OR t.says ~* 'show_chunks|timescaledb_information"?\."?chunks|_hyper_'
                  AND t.says ~* 'drop[[:space:]]+table' AS drops,
           t.says ~* 'refresh_continuous_aggregate' AS refreshes,
           -- Of all tables that it finds in the catalog.
           t.says ~* 'timescaledb_(information|catalog)"?\."?(hypertables?|continuous_aggs?|continuous_aggregates)' AS roams
      FROM jobs AS j
     CROSS JOIN LATERAL (SELECT pg_catalog.string_agg(c.says, E'\n') || E'\n' || j.config AS says
                           FROM called AS c WHERE c.key = j.key) AS t
     WHERE NOT j.is_policy
), names AS MATERIALIZED (
    SELECT n.id, n.schema, n.name, pg_catalog.regexp_replace(n.name, '([^[:alnum:]_])', '\\\1', 'g') AS pattern
      FROM (SELECT h.id, h.schema_name::text AS schema, h.table_name::text AS name FROM _timescaledb_catalog.hypertable AS h
             UNION ALL
            SELECT a.mat_hypertable_id, a.user_view_schema, a.user_view_name FROM _timescaledb_catalog.continuous_agg AS a)
           AS n
     WHERE EXISTS (SELECT FROM works AS k WHERE k.drops OR k.refreshes)
), named AS MATERIALIZED (
    -- A word that is a table's name may be another thing's too; a literal, or what follows a schema, is hardly.
    SELECT DISTINCT k.key, n.id,
           k.says ~* ('["''.]' || n.pattern || '"?''?($|[^[:alnum:]_])') AS surely
      FROM works AS k
      JOIN names AS n ON k.says ~* ('(^|[^[:alnum:]_])' || n.pattern || '($|[^[:alnum:]_])')
     WHERE k.drops OR k.refreshes
), bound AS (
    -- Whose chunks each job of somebody's own is about: of those that it names, or, where it names none, of any.
    SELECT k.*, t.id AS hypertable, n.id IS NOT NULL AS is_named
      FROM works AS k
     CROSS JOIN (SELECT DISTINCT h.id FROM _timescaledb_catalog.hypertable AS h) AS t
      LEFT JOIN (SELECT DISTINCT key, id FROM named) AS n ON n.key = k.key AND n.id = t.id
     WHERE (k.drops OR k.refreshes)
       AND (n.id IS NOT NULL OR k.roams OR NOT EXISTS (SELECT FROM named AS o WHERE o.key = k.key AND o.surely))
), refreshes AS (
    SELECT w.oid, g.user_view_schema, g.user_view_name, j.job, j.document, j.config, j.is_policy AND j.hypertable_id IS NOT NULL AS is_checked
      FROM wanted AS w
      JOIN _timescaledb_catalog.continuous_agg AS g ON g.raw_hypertable_id = w.id
      JOIN (SELECT p.job, p.document, p.config, p.is_policy, p.hypertable_id,
                   COALESCE(p.hypertable_id::text, p.config ->> 'mat_hypertable_id') AS of
              FROM jobs AS p WHERE p.is_policy AND p.name = 'policy_refresh_continuous_aggregate'
             UNION ALL
            SELECT b.job, b.document, b.config, false, NULL, b.hypertable::text FROM bound AS b WHERE b.refreshes) AS j
        ON j.of = g.mat_hypertable_id::text
), refreshed AS (
    SELECT f.oid,
           pg_catalog.array_agg(pg_catalog.format('%I.%I', f.user_view_schema, f.user_view_name) ORDER BY f.job, f.document) AS by,
           pg_catalog.array_agg(COALESCE(f.job::text, f.document) ORDER BY f.job, f.document) AS job,
           pg_catalog.array_agg(CASE WHEN pg_catalog.jsonb_typeof(f.config -> 'start_offset') = 'string'
                                      AND (f.is_checked OR f.config ->> 'start_offset'
                                           ~ '^([0-9]{1,5} (minutes?|hours?|days?|weeks?|mons?|months?|years?) ?)*([0-9]{1,5}:[0-9]{2}(:[0-9]{2})?)?$')
                                     THEN (f.config ->> 'start_offset')::interval END ORDER BY f.job, f.document) AS looks_back,
           pg_catalog.array_agg(CASE WHEN pg_catalog.jsonb_typeof(f.config -> 'start_offset') = 'number'
                                      AND f.config ->> 'start_offset' ~ '^-?[0-9]{1,18}$'
                                     THEN (f.config ->> 'start_offset')::bigint END ORDER BY f.job, f.document) AS looks_back_integer
      FROM refreshes AS f
     GROUP BY f.oid
), drops AS (
    SELECT w.oid, j.job, j.document, j.paused,
           CASE WHEN j.hypertable_id IS NOT NULL THEN 'policy' ELSE 'beside' END AS how,
           CASE WHEN j.hypertable_id IS NOT NULL
                THEN (SELECT pg_catalog.format('%I.%I', n.schema, n.name)
                        FROM (SELECT g.user_view_schema AS schema, g.user_view_name AS name
                                FROM _timescaledb_catalog.continuous_agg AS g WHERE g.mat_hypertable_id = w.id
                               UNION ALL
                              SELECT h.schema_name, h.table_name FROM _timescaledb_catalog.hypertable AS h WHERE h.id = w.id
                               LIMIT 1) AS n)
                ELSE pg_catalog.format('%I.%I', j.schema, j.name) END AS by
      FROM wanted AS w
      JOIN jobs AS j ON j.is_policy AND j.name = 'policy_retention'
                    AND w.id::text = COALESCE(j.hypertable_id::text, j.config ->> 'hypertable_id')
     UNION ALL
    SELECT w.oid, b.job, b.document, b.paused, CASE WHEN b.is_named THEN 'named' ELSE 'unknown' END,
           pg_catalog.format('%I.%I', b.schema, b.name)
      FROM wanted AS w
      JOIN bound AS b ON b.hypertable = w.id AND b.drops
), dropped AS (
    SELECT d.oid,
           pg_catalog.array_agg(d.by ORDER BY d.job, d.document) AS by,
           pg_catalog.array_agg(d.job::text ORDER BY d.job, d.document) AS job,
           pg_catalog.array_agg(d.how ORDER BY d.job, d.document) AS how,
           pg_catalog.array_agg(d.document ORDER BY d.job, d.document) AS document,
           pg_catalog.array_agg(d.paused::text ORDER BY d.job, d.document) AS paused
      FROM drops AS d
     GROUP BY d.oid
)
