-- The storage parameters of the relations in $1 that have any, their TOAST tables' included, and which
-- of them some child does not have alike. Chunks take their parent's parameters when they are
-- made and when the parent's change, and can then be changed by hand, each on its own.
WITH parents AS MATERIALIZED (
    SELECT c.oid, c.relkind, c.reloptions, t.reloptions AS toast_options
    FROM pg_catalog.pg_class AS c
    LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
    WHERE c.oid = ANY ($1) AND c.relkind IN ('r', 'm') AND (c.reloptions IS NOT NULL OR t.reloptions IS NOT NULL)
),
-- Most children have exactly what their parent has, so only the others are taken apart.
differing AS (
    SELECT p.oid AS parent, p.reloptions AS wanted, c.reloptions AS options, false AS toast
    FROM parents AS p
    JOIN pg_catalog.pg_inherits AS h ON h.inhparent = p.oid
    JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid
    WHERE p.reloptions IS NOT NULL AND c.relkind = 'r' AND c.reloptions IS DISTINCT FROM p.reloptions
    UNION ALL
    SELECT p.oid, p.toast_options, t.reloptions, true
    FROM parents AS p
    JOIN pg_catalog.pg_inherits AS h ON h.inhparent = p.oid
    JOIN pg_catalog.pg_class AS c ON c.oid = h.inhrelid
    JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
    WHERE p.toast_options IS NOT NULL AND t.reloptions IS DISTINCT FROM p.toast_options
),
lacking AS (
    SELECT DISTINCT d.parent, d.toast, w.option
    FROM differing AS d
    CROSS JOIN LATERAL unnest(d.wanted) AS w (option)
    WHERE w.option <> ALL (COALESCE(d.options, '{}'))
)
SELECT
    p.oid,
    p.reloptions AS options,
    p.toast_options,
    array_agg(l.option) FILTER (WHERE NOT l.toast) AS lacking,
    array_agg(l.option) FILTER (WHERE l.toast) AS toast_lacking
FROM parents AS p
LEFT JOIN lacking AS l ON l.parent = p.oid
GROUP BY p.oid, p.reloptions, p.toast_options
