-- Every index of the relations in $1, one row a key or included column, in the order of the keys.
-- The names of columns come from the relation, not from the index, whose own stay behind when a
-- column is renamed. Everything that is per index and not cheap is asked at the first key only.
-- OFFSET 0 keeps the planner at looking rows up one by one: joined freely, it reads those of every
-- chunk.
WITH indexes AS MATERIALIZED (
    SELECT i.*, x.relname, m.amname, x.reltablespace, x.reloptions, x.relispartition
    FROM pg_catalog.pg_index AS i
    CROSS JOIN LATERAL (
        SELECT x.relname, x.relam, x.reltablespace, x.reloptions, x.relispartition
        FROM pg_catalog.pg_class AS x
        WHERE x.oid = i.indexrelid
        OFFSET 0
    ) AS x
    JOIN pg_catalog.pg_am AS m ON m.oid = x.relam
    WHERE i.indrelid = ANY ($1)
),
-- The constraint behind an index, where there is one.
constraints AS (
    SELECT c.conindid, c.contype
    FROM pg_catalog.pg_constraint AS c
    WHERE c.conrelid = ANY ($1) AND c.contype IN ('p', 'u', 'x')
),
keys AS (
    SELECT
        i.*,
        k.at,
        i.indkey[k.at - 1] AS attnum,
        i.indoption[k.at - 1] AS opt,
        i.indclass[k.at - 1] AS class,
        i.indcollation[k.at - 1] AS coll
    FROM indexes AS i
    CROSS JOIN LATERAL generate_series(1, i.indnatts) AS k (at)
)
SELECT
    k.indexrelid AS oid,
    k.indrelid AS relation,
    k.relname AS name,
    k.amname AS method,
    k.indisunique AS is_unique,
    k.indnullsnotdistinct AS nulls_not_distinct,
    k.indisvalid AS valid,
    k.indisclustered AS clustered,
    k.indisreplident AS replica_identity,
    k.relispartition AS of_parent,
    k.indnkeyatts AS keys,
    c.contype AS constraint_type,
    k.reltablespace <> 0 AS own_tablespace,
    COALESCE(s.spcname, d.spcname) AS tablespace,
    k.reloptions AS options,
    CASE WHEN k.at = 1 AND k.relname LIKE '%\_chronoform\_old' THEN
        pg_catalog.obj_description(k.indexrelid, 'pg_class')
    END AS comment,
    k.at,
    a.attname AS column,
    k.opt AS option,
    CASE WHEN k.at <= k.indnkeyatts AND k.attnum = 0 THEN pg_catalog.pg_get_indexdef(k.indexrelid, k.at, true) END
        AS expression,
    CASE WHEN k.at = 1 THEN pg_catalog.pg_get_expr(k.indpred, k.indrelid, true) END AS predicate,
    o.opcdefault AS default_opclass,
    on_.nspname AS opclass_schema,
    o.opcname AS opclass,
    -- An expression has a collation of its own, which only the full definition tells from one that
    -- the index was given.
    CASE
        WHEN k.coll = 0 THEN true
        WHEN k.attnum <> 0 THEN k.coll = a.attcollation
        WHEN k.coll = 100 THEN true
        ELSE pg_catalog.strpos(
            pg_catalog.pg_get_indexdef(k.indexrelid, 0, true),
            pg_catalog.pg_get_indexdef(k.indexrelid, k.at, true) || ' COLLATE '
        ) = 0
    END AS own_collation,
    ln.nspname AS collation_schema,
    l.collname AS collation
FROM keys AS k
CROSS JOIN (
    SELECT t.spcname
    FROM pg_catalog.pg_database AS b
    JOIN pg_catalog.pg_tablespace AS t ON t.oid = b.dattablespace
    WHERE b.datname = pg_catalog.current_database()
) AS d
LEFT JOIN LATERAL (
    SELECT a.attname, a.attcollation
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = k.indrelid AND a.attnum = k.attnum
    OFFSET 0
) AS a ON true
LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = k.class
LEFT JOIN pg_catalog.pg_namespace AS on_ ON on_.oid = o.opcnamespace
LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = k.coll
LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.collnamespace
LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = k.reltablespace
LEFT JOIN constraints AS c ON c.conindid = k.indexrelid
ORDER BY k.indexrelid, k.at
