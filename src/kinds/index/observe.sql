-- Every index of the relations in $1, one row a key or included column, in the order of the keys.
-- The names of columns come from the relation, not from the index, whose own stay behind when a
-- column is renamed. Everything that is per index and not cheap is asked at the first key only.
-- OFFSET 0 keeps the planner at looking rows up one by one: joined freely, it reads those of every
-- chunk.
--
-- Beside it, the chunks of the hypertables in $2 that have no valid copy of an index. Most chunks are
-- passed over by one number, a sum over what their valid indexes are: it is that of the hypertable's,
-- counted with the columns' numbers as they are or as they are in a chunk made since columns were
-- dropped. Only where it is neither are the chunk's indexes looked at one by one, by what the server
-- itself goes by (`ts_indexing_compare` in `src/indexing.c`).
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
-- The numbers of the columns that each hypertable has dropped.
dropped AS MATERIALIZED (
    SELECT a.attrelid, pg_catalog.array_agg(a.attnum) AS columns
    FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = ANY ($2) AND a.attnum > 0 AND a.attisdropped
    GROUP BY a.attrelid
),
wanted AS MATERIALIZED (
    SELECT
        i.indrelid,
        pg_catalog.sum(
            pg_catalog.hashoidvector(i.indclass) # pg_catalog.hashoidvector(i.indcollation)
            # pg_catalog.hash_array(i.indkey::int2[]) # pg_catalog.hash_array(i.indoption::int2[])
            # (i.indnkeyatts + CASE WHEN i.indisunique THEN 64 ELSE 0 END
                + CASE WHEN i.indexprs IS NULL THEN 0 ELSE 128 END + CASE WHEN i.indpred IS NULL THEN 0 ELSE 256 END)
        ) AS now,
        pg_catalog.sum(
            pg_catalog.hashoidvector(i.indclass) # pg_catalog.hashoidvector(i.indcollation)
            # pg_catalog.hash_array(k.indkey::int2[]) # pg_catalog.hash_array(i.indoption::int2[])
            # (i.indnkeyatts + CASE WHEN i.indisunique THEN 64 ELSE 0 END
                + CASE WHEN i.indexprs IS NULL THEN 0 ELSE 128 END + CASE WHEN i.indpred IS NULL THEN 0 ELSE 256 END)
        ) AS since
    FROM indexes AS i
    LEFT JOIN dropped AS d ON d.attrelid = i.indrelid
    CROSS JOIN LATERAL (
        SELECT CASE WHEN d.columns IS NULL THEN i.indkey::int2[] ELSE ARRAY(
            SELECT (n.attnum - (SELECT pg_catalog.count(*) FROM unnest(d.columns) AS x (attnum) WHERE x.attnum < n.attnum))::int2
            FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS n (attnum, at)
            ORDER BY n.at
        ) END AS indkey
    ) AS k
    WHERE i.indrelid = ANY ($2) AND i.indisvalid
    GROUP BY i.indrelid
),
odd AS MATERIALIZED (
    SELECT h.inhparent, h.inhrelid
    FROM pg_catalog.pg_inherits AS h
    JOIN wanted AS w ON w.indrelid = h.inhparent
    CROSS JOIN LATERAL (
        SELECT pg_catalog.sum(
            pg_catalog.hashoidvector(i.indclass) # pg_catalog.hashoidvector(i.indcollation)
            # pg_catalog.hash_array(i.indkey::int2[]) # pg_catalog.hash_array(i.indoption::int2[])
            # (i.indnkeyatts + CASE WHEN i.indisunique THEN 64 ELSE 0 END
                + CASE WHEN i.indexprs IS NULL THEN 0 ELSE 128 END + CASE WHEN i.indpred IS NULL THEN 0 ELSE 256 END)
        ) AS now
        FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = h.inhrelid AND i.indisvalid
    ) AS k
    WHERE h.inhparent = ANY ($2) AND k.now IS DISTINCT FROM w.now AND k.now IS DISTINCT FROM w.since
),
-- A chunk that is kept elsewhere is a foreign table, which has no index.
suspects AS MATERIALIZED (
    SELECT o.inhparent, c.oid, n.nspname, c.relname
    FROM odd AS o
    JOIN pg_catalog.pg_class AS c ON c.oid = o.inhrelid AND c.relkind = 'r'
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
),
-- Each index of a suspect's hypertable beside how many of the chunk's are of its shape: the same but
-- for what its expressions and its predicate say. Where several of the hypertable's are, a chunk must
-- have as many.
shapes AS MATERIALIZED (
    SELECT i.*, CASE WHEN i.indexprs IS NULL AND i.indpred IS NULL THEN 1 ELSE pg_catalog.count(*) OVER (
        PARTITION BY
            i.indrelid, i.indisunique, i.indnullsnotdistinct, i.indkey::int2[], i.indclass, i.indcollation,
            i.indoption::int2[], i.indexprs IS NULL, i.indpred IS NULL
    ) END AS alike
    FROM indexes AS i
    WHERE i.indrelid = ANY (ARRAY(SELECT s.inhparent FROM suspects AS s)) AND i.indisvalid AND NOT i.indisexclusion
),
lacking AS MATERIALIZED (
    SELECT
        p.indexrelid,
        pg_catalog.array_agg(s.oid::bigint ORDER BY s.oid) AS oids,
        pg_catalog.array_agg(s.nspname::text ORDER BY s.oid) AS schemas,
        pg_catalog.array_agg(s.relname::text ORDER BY s.oid) AS names,
        pg_catalog.array_agg(COALESCE(k.broken::bigint, 0) ORDER BY s.oid) AS broken_oids,
        pg_catalog.array_agg((SELECT b.relname::text FROM pg_catalog.pg_class AS b WHERE b.oid = k.broken) ORDER BY s.oid)
            AS broken
    FROM suspects AS s
    JOIN shapes AS p ON p.indrelid = s.inhparent
    CROSS JOIN LATERAL (
        SELECT
            pg_catalog.count(*) FILTER (WHERE k.indisvalid) AS valid,
            pg_catalog.min(k.indexrelid) FILTER (
                WHERE NOT k.indisvalid AND (k.indexprs IS NULL AND k.indpred IS NULL OR {same p k})
            ) AS broken
        FROM pg_catalog.pg_index AS k
        WHERE k.indrelid = s.oid
            AND (k.indisunique, k.indnullsnotdistinct, k.indnatts, k.indnkeyatts, k.indoption::int2[], k.indcollation)
                = (p.indisunique, p.indnullsnotdistinct, p.indnatts, p.indnkeyatts, p.indoption::int2[], p.indcollation)
            AND (k.indexprs IS NULL, k.indpred IS NULL) = (p.indexprs IS NULL, p.indpred IS NULL)
            AND (k.indclass = p.indclass OR NOT EXISTS (
                SELECT
                FROM pg_catalog.generate_series(0, p.indnkeyatts - 1) AS n (at)
                JOIN pg_catalog.pg_opclass AS po ON po.oid = p.indclass[n.at]
                JOIN pg_catalog.pg_opclass AS ko ON ko.oid = k.indclass[n.at]
                WHERE po.opcfamily <> ko.opcfamily
            ))
            AND NOT EXISTS (
                SELECT
                FROM pg_catalog.generate_series(0, p.indnatts - 1) AS n (at)
                WHERE (SELECT a.attname FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = p.indrelid AND a.attnum = p.indkey[n.at])
                    IS DISTINCT FROM
                    (SELECT a.attname FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = k.indrelid AND a.attnum = k.indkey[n.at])
            )
    ) AS k
    -- Too few of the shape, and none of them is it.
    WHERE k.valid < p.alike AND (k.valid = 0 OR NOT EXISTS (
        SELECT FROM pg_catalog.pg_index AS k WHERE k.indrelid = s.oid AND k.indisvalid AND ({same p k})
    ))
    GROUP BY p.indexrelid
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
    l.collname AS collation,
    CASE WHEN k.at = 1 THEN m.oids END AS lacking_oids,
    CASE WHEN k.at = 1 THEN m.schemas END AS lacking_schemas,
    CASE WHEN k.at = 1 THEN m.names END AS lacking_names,
    CASE WHEN k.at = 1 THEN m.broken_oids END AS lacking_broken_oids,
    CASE WHEN k.at = 1 THEN m.broken END AS lacking_broken
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
LEFT JOIN lacking AS m ON m.indexrelid = k.indexrelid
LEFT JOIN constraints AS c ON c.conindid = k.indexrelid
ORDER BY k.indexrelid, k.at
