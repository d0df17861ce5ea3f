    WITH slices AS MATERIALIZED (
        SELECT s.dimension_id, s.range_start, s.range_end,
               pg_catalog.max(s.range_end) OVER (PARTITION BY s.dimension_id ORDER BY s.range_start, s.range_end
                                                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
          FROM _timescaledb_catalog.dimension_slice AS s
         WHERE s.dimension_id IN (SELECT w.source_dimension FROM {wanted} AS w)
           AND EXISTS (SELECT FROM _timescaledb_catalog.chunk_constraint AS k
                         JOIN _timescaledb_catalog.chunk AS c ON c.id = k.chunk_id
                        WHERE k.dimension_slice_id = s.id
                          AND (pg_catalog.to_jsonb(c) ->> 'dropped')::boolean IS NOT TRUE)
    )
    SELECT d.dimension_id,
           pg_catalog.array_agg(d.begins ORDER BY d.begins NULLS FIRST) AS begins,
           pg_catalog.array_agg(d.ends ORDER BY d.begins NULLS FIRST) AS ends
      FROM (SELECT s.dimension_id, s.before AS begins, s.range_start AS ends
              FROM slices AS s WHERE s.before IS NULL OR s.before < s.range_start
             UNION ALL
            SELECT w.source_dimension,
                   (SELECT pg_catalog.max(s.range_end) FROM slices AS s WHERE s.dimension_id = w.source_dimension), NULL
              FROM (SELECT DISTINCT w.source_dimension FROM {wanted} AS w) AS w) AS d
     GROUP BY d.dimension_id
