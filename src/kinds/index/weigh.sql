-- What the building, replacing and removing of indexes touches. One row a finding, in the order of OIDs:
--   relation       what is stored in the table $1[i], with its children where $2[i] says so
--   taken          a relation that has the name ($3[i], $4[i]) already
--   building       an index of $5 that another session is building
--   foreign_key    a foreign key that needs the unique index of $5
--   method, tablespace, opclass, collation
--                  what is named in $6, $7, ($8, $9, $10) and ($11, $12) and does not exist
--   cannot         a property (`words`) that a method of $6 does not have
--   limit          how many columns an index may have, as `bytes`
--   no_opclass     a type of $14 (`name`) that the method beside it in $15 (`words`) has no default operator
--                  class for
--   opclass_type   an operator class ($16, $17) that is not for the type beside it, as `method of type`
--   collation_type a type of $14 that has no collations
--   now_held       what a hypertable of $1 holds, with what was converted to the columnstore as it was before;
--                  asked with their ids of TimescaleDB's as $19
--   in_columnstore a hypertable of $1 with a chunk that the server builds no unique index over
--   schema_privilege, tablespace_privilege
--                  a schema of $13, a tablespace of $7 in which the role may not create anything
WITH RECURSIVE roots AS (
    SELECT r.oid, r.with_children <> 0 AS with_children
    FROM unnest($1::oid[], $2::bigint[]) AS r (oid, with_children)
),
stored (root, oid) AS (
    SELECT r.oid, r.oid FROM roots AS r
    UNION ALL
    SELECT s.root, h.inhrelid
    FROM stored AS s
    JOIN roots AS r ON r.oid = s.root AND r.with_children
    JOIN pg_catalog.pg_inherits AS h ON h.inhparent = s.oid
),
sizes AS (
    SELECT
        s.root,
        s.oid,
        c.relpages,
        c.reltuples::float8 AS reltuples,
        pg_catalog.pg_relation_size(s.oid::pg_catalog.regclass) AS bytes
    FROM stored AS s
    JOIN pg_catalog.pg_class AS c ON c.oid = s.oid
),
-- What the keys of the indexes are of, with the types under domains.
keys AS (
    SELECT DISTINCT k.type, k.method, k.schema, k.name, k.collated <> 0 AS collated, pg_catalog.to_regtype(k.type)::oid AS oid
    FROM unnest($14::text[], $15::text[], $16::text[], $17::text[], $18::bigint[]) AS k (type, method, schema, name, collated)
),
bases (top, oid) AS (
    SELECT DISTINCT k.oid, k.oid FROM keys AS k WHERE k.oid IS NOT NULL
    UNION ALL
    SELECT b.top, t.typbasetype
    FROM bases AS b
    JOIN pg_catalog.pg_type AS t ON t.oid = b.oid AND t.typtype = 'd'
),
-- The operator classes that take a type as it is stored (`IsBinaryCoercible` in
-- `src/backend/parser/parse_coerce.c`).
accepting AS (
    SELECT b.top AS type, c.oid AS opclass, c.opcmethod AS method, c.opcdefault AS by_default
    FROM bases AS b
    JOIN pg_catalog.pg_type AS t ON t.oid = b.oid AND t.typtype <> 'd'
    JOIN pg_catalog.pg_opclass AS c ON c.opcintype = t.oid
        OR EXISTS (
            SELECT
            FROM pg_catalog.pg_cast AS a
            WHERE a.castsource = t.oid AND a.casttarget = c.opcintype AND a.castmethod = 'b' AND a.castcontext = 'i'
        )
        OR CASE pg_catalog.format_type(c.opcintype, NULL)
            WHEN '"any"' THEN true
            WHEN 'anyelement' THEN true
            WHEN 'anycompatible' THEN true
            WHEN 'anynonarray' THEN t.typsubscript <> 'pg_catalog.array_subscript_handler'::pg_catalog.regproc
            WHEN 'anyarray' THEN t.typsubscript = 'pg_catalog.array_subscript_handler'::pg_catalog.regproc
            WHEN 'anycompatiblearray' THEN t.typsubscript = 'pg_catalog.array_subscript_handler'::pg_catalog.regproc
            WHEN 'anyenum' THEN t.typtype = 'e'
            WHEN 'anyrange' THEN t.typtype = 'r'
            WHEN 'anymultirange' THEN t.typtype = 'm'
            WHEN 'record' THEN t.typtype = 'c'
            WHEN 'record[]' THEN t.typsubscript = 'pg_catalog.array_subscript_handler'::pg_catalog.regproc
            ELSE false
        END
)
SELECT
    'relation' AS finding,
    z.root::bigint AS oid,
    NULL::text AS schema,
    NULL::text AS name,
    NULL::text AS words,
    sum(z.bytes)::bigint AS bytes,
    -- As the planner estimates: the rows a page had when it was last counted, for the pages of now.
    -- Unknown where a part that holds anything was never counted.
    CASE WHEN NOT bool_or(z.bytes > 0 AND (z.reltuples < 0 OR z.relpages = 0)) THEN
        sum(CASE WHEN z.bytes = 0 THEN 0
            ELSE z.reltuples / greatest(z.relpages, 1) * z.bytes / pg_catalog.current_setting('block_size')::int END)::bigint
    END AS rows,
    (count(*) - 1)::bigint AS children
FROM sizes AS z
GROUP BY z.root
UNION ALL
SELECT 'taken', NULL, n.schema, n.name,
    CASE c.relkind
        WHEN 'i' THEN 'an index of ' || (
            SELECT i.indrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index AS i WHERE i.indexrelid = c.oid
        )
        WHEN 'I' THEN 'an index of ' || (
            SELECT i.indrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index AS i WHERE i.indexrelid = c.oid
        )
        WHEN 'r' THEN 'a table'
        WHEN 'p' THEN 'a partitioned table'
        WHEN 'v' THEN 'a view'
        WHEN 'm' THEN 'a materialized view'
        WHEN 'S' THEN 'a sequence'
        WHEN 'f' THEN 'a foreign table'
        ELSE 'a type'
    END, NULL, NULL, NULL
FROM unnest($3::text[], $4::text[]) AS n (schema, name)
JOIN pg_catalog.pg_namespace AS s ON s.nspname = n.schema
JOIN pg_catalog.pg_class AS c ON c.relnamespace = s.oid AND c.relname = n.name
UNION ALL
SELECT 'building', i.indexrelid::bigint, NULL, NULL, NULL, NULL, NULL, NULL
FROM pg_catalog.pg_index AS i
WHERE i.indexrelid = ANY ($5) AND NOT i.indisvalid AND (
    -- Where another role's build is hidden from us, it may be this one.
    EXISTS (
        SELECT FROM pg_catalog.pg_stat_progress_create_index AS p
        WHERE p.datname = pg_catalog.current_database() AND (p.index_relid = i.indexrelid OR p.relid IS NULL)
    )
    -- Between two chunks, TimescaleDB before 2.29 shows no progress, but holds a lock on the index
    -- and none on its table, as no query does (seen on 2.19.3).
    OR EXISTS (
        SELECT FROM pg_catalog.pg_locks AS b
        JOIN pg_catalog.pg_database AS d ON d.oid = b.database AND d.datname = pg_catalog.current_database()
        WHERE b.relation = i.indexrelid
            AND b.pid <> pg_catalog.pg_backend_pid()
            AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks AS t WHERE t.pid = b.pid AND t.relation = i.indrelid)
    )
)
UNION ALL
SELECT 'foreign_key', c.conindid::bigint, NULL, c.conname::text, c.conrelid::pg_catalog.regclass::text, NULL, NULL, NULL
FROM pg_catalog.pg_constraint AS c
WHERE c.contype = 'f' AND c.conindid = ANY ($5) AND c.conparentid = 0
UNION ALL
SELECT 'method', NULL, NULL, m.name, NULL, NULL, NULL, NULL
FROM unnest($6::text[]) AS m (name)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_am AS a WHERE a.amname = m.name AND a.amtype = 'i')
UNION ALL
SELECT 'tablespace', NULL, NULL, t.name, NULL, NULL, NULL, NULL
FROM unnest($7::text[]) AS t (name)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_tablespace AS s WHERE s.spcname = t.name)
UNION ALL
SELECT 'opclass', NULL, o.schema, o.name, o.method, NULL, NULL, NULL
FROM unnest($8::text[], $9::text[], $10::text[]) AS o (schema, name, method)
WHERE NOT EXISTS (
    SELECT
    FROM pg_catalog.pg_opclass AS c
    JOIN pg_catalog.pg_namespace AS s ON s.oid = c.opcnamespace AND s.nspname = o.schema
    JOIN pg_catalog.pg_am AS a ON a.oid = c.opcmethod AND a.amname = o.method
    WHERE c.opcname = o.name
)
UNION ALL
SELECT 'collation', NULL, l.schema, l.name, NULL, NULL, NULL, NULL
FROM unnest($11::text[], $12::text[]) AS l (schema, name)
WHERE NOT EXISTS (
    SELECT
    FROM pg_catalog.pg_collation AS c
    JOIN pg_catalog.pg_namespace AS s ON s.oid = c.collnamespace AND s.nspname = l.schema
    WHERE c.collname = l.name AND c.collencoding IN (
        -1, (SELECT d.encoding FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
    )
)
UNION ALL
SELECT 'cannot', NULL, NULL, a.amname::text, p.name, NULL, NULL, NULL
FROM pg_catalog.pg_am AS a
CROSS JOIN (VALUES ('can_order'), ('can_unique'), ('can_multi_col'), ('can_include')) AS p (name)
WHERE a.amname = ANY ($6) AND a.amtype = 'i' AND NOT pg_catalog.pg_indexam_has_property(a.oid, p.name)
UNION ALL
SELECT 'limit', NULL, NULL, NULL, NULL, pg_catalog.current_setting('max_index_keys')::bigint, NULL, NULL
UNION ALL
SELECT 'no_opclass', NULL, NULL, k.type, k.method, NULL, NULL, NULL
FROM keys AS k
JOIN pg_catalog.pg_am AS a ON a.amname = k.method AND a.amtype = 'i'
WHERE k.oid IS NOT NULL AND k.name IS NULL AND NOT EXISTS (
    SELECT FROM accepting AS c WHERE c.type = k.oid AND c.method = a.oid AND c.by_default
)
UNION ALL
SELECT 'opclass_type', NULL, k.schema, k.name, k.method || ' of ' || k.type, NULL, NULL, NULL
FROM keys AS k
JOIN pg_catalog.pg_am AS a ON a.amname = k.method AND a.amtype = 'i'
JOIN pg_catalog.pg_namespace AS s ON s.nspname = k.schema
JOIN pg_catalog.pg_opclass AS c ON c.opcname = k.name AND c.opcnamespace = s.oid AND c.opcmethod = a.oid
WHERE k.oid IS NOT NULL AND NOT EXISTS (SELECT FROM accepting AS x WHERE x.type = k.oid AND x.opclass = c.oid)
UNION ALL
SELECT DISTINCT 'collation_type', NULL::bigint, NULL, k.type, NULL, NULL::bigint, NULL::bigint, NULL::bigint
FROM keys AS k
JOIN pg_catalog.pg_type AS t ON t.oid = k.oid AND t.typcollation = 0
WHERE k.collated
{in_columnstore}
{now_held}
UNION ALL
SELECT 'schema_privilege', NULL, NULL, s.nspname::text, NULL, NULL, NULL, NULL
FROM pg_catalog.pg_namespace AS s
WHERE s.nspname = ANY ($13::text[]) AND NOT pg_catalog.has_schema_privilege(s.oid, 'CREATE')
UNION ALL
-- The database's own tablespace is open to all (`DefineIndex` in `src/backend/commands/indexcmds.c`).
SELECT 'tablespace_privilege', NULL, NULL, s.spcname::text, NULL, NULL, NULL, NULL
FROM pg_catalog.pg_tablespace AS s
WHERE s.spcname = ANY ($7)
    AND NOT pg_catalog.has_tablespace_privilege(s.oid, 'CREATE')
    AND s.oid <> (SELECT d.dattablespace FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
ORDER BY oid NULLS FIRST
