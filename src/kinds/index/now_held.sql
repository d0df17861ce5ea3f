UNION ALL
SELECT 'now_held', i.inhparent::bigint, NULL, NULL, NULL,
    sum(pg_catalog.pg_relation_size(i.inhrelid) + COALESCE(z.uncompressed_heap_size, pg_catalog.pg_relation_size(k.compressed), 0))::bigint,
    CASE WHEN bool_and(CASE WHEN k.compressed IS NULL THEN c.reltuples >= 0 ELSE z.numrows_pre_compression IS NOT NULL END) THEN
        sum(greatest(c.reltuples, 0) + COALESCE(z.numrows_pre_compression, 0))::bigint END,
    count(*)
FROM pg_catalog.pg_inherits AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid
LEFT JOIN (
{chunks}
) AS k ON k.oid = i.inhrelid
LEFT JOIN _timescaledb_catalog.compression_chunk_size AS z ON z.chunk_id = k.id
WHERE i.inhparent = ANY ($1::oid[])
GROUP BY i.inhparent
