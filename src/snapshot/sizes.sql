-- How much room relations take with their indexes and TOAST, and with all that is below them:
-- partitions, chunks and what the columnstore keeps of those. $1 the relations, $2 the hypertables' ids.
WITH RECURSIVE chunks AS (
{chunks}
), below AS (
    SELECT w.oid AS root, w.oid FROM pg_catalog.unnest($1::oid[]) AS w (oid)
     UNION
    SELECT b.root, i.inhrelid FROM below AS b JOIN pg_catalog.pg_inherits AS i ON i.inhparent = b.oid
), all_of AS (
    SELECT root, oid FROM below
     UNION ALL
    SELECT b.root, k.compressed FROM below AS b JOIN chunks AS k ON k.oid = b.oid WHERE k.compressed IS NOT NULL
)
SELECT a.root AS oid, COALESCE(pg_catalog.sum(pg_catalog.pg_total_relation_size(a.oid)), 0)::bigint AS bytes
  FROM all_of AS a
 GROUP BY a.root
 ORDER BY a.root
