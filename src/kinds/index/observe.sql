-- Every index of the relations in $1, one row a key or included column, in the order of the keys.
-- The names of columns come from the relation, not from the index, whose own stay behind when a
-- column is renamed. Everything that is per index and not cheap is asked at the first key only.
WITH columns AS (
    SELECT a.attrelid, a.attnum, a.attname, a.attcollation
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = ANY ($1) AND a.attnum > 0
),
-- The constraint behind an index, where there is one.
constraints AS (
    SELECT c.conindid, c.contype
    FROM pg_catalog.pg_constraint AS c
    WHERE c.conrelid = ANY ($1) AND c.contype IN ('p', 'u', 'x')
)
SELECT
    i.indexrelid AS oid,
    i.indrelid AS relation,
    x.relname AS name,
    m.amname AS method,
    i.indisunique AS is_unique,
    i.indnullsnotdistinct AS nulls_not_distinct,
    i.indisvalid AS valid,
    i.indisclustered AS clustered,
    i.indisreplident AS replica_identity,
    x.relispartition AS of_parent,
    i.indnkeyatts AS keys,
    c.contype AS constraint_type,
    x.reltablespace <> 0 AS own_tablespace,
    COALESCE(s.spcname, d.spcname) AS tablespace,
    x.reloptions AS options,
    CASE WHEN k.at = 1 AND x.relname LIKE '%\_chronoform\_old' THEN
        pg_catalog.obj_description(i.indexrelid, 'pg_class')
    END AS comment,
    k.at,
    a.attname AS column,
    k.opt AS option,
    CASE WHEN k.at <= i.indnkeyatts AND k.attnum = 0 THEN pg_catalog.pg_get_indexdef(i.indexrelid, k.at::int, true) END
        AS expression,
    CASE WHEN k.at = 1 THEN pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) END AS predicate,
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
            pg_catalog.pg_get_indexdef(i.indexrelid, 0, true),
            pg_catalog.pg_get_indexdef(i.indexrelid, k.at::int, true) || ' COLLATE '
        ) = 0
    END AS own_collation,
    ln.nspname AS collation_schema,
    l.collname AS collation
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
JOIN pg_catalog.pg_am AS m ON m.oid = x.relam
CROSS JOIN (
    SELECT t.spcname
    FROM pg_catalog.pg_database AS b
    JOIN pg_catalog.pg_tablespace AS t ON t.oid = b.dattablespace
    WHERE b.datname = pg_catalog.current_database()
) AS d
CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indoption::int2[], i.indclass::oid[], i.indcollation::oid[])
    WITH ORDINALITY AS k (attnum, opt, class, coll, at)
LEFT JOIN columns AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
LEFT JOIN pg_catalog.pg_opclass AS o ON o.oid = k.class
LEFT JOIN pg_catalog.pg_namespace AS on_ ON on_.oid = o.opcnamespace
LEFT JOIN pg_catalog.pg_collation AS l ON l.oid = k.coll
LEFT JOIN pg_catalog.pg_namespace AS ln ON ln.oid = l.collnamespace
LEFT JOIN pg_catalog.pg_tablespace AS s ON s.oid = x.reltablespace
LEFT JOIN constraints AS c ON c.conindid = i.indexrelid
WHERE i.indrelid = ANY ($1)
ORDER BY i.indexrelid, k.at
