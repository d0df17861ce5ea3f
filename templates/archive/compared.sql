{# How many rows of an earlier copy there are, and how many of them the chunk has as they are. A star after the alias, because the chunk may have a column of that name. #}
WITH asked AS (
    SELECT pg_catalog.hashtextextended((a.*)::pg_catalog.text, 0) AS hash, pg_catalog.count(*) AS n FROM pg_temp.chronoform_asked AS a GROUP BY 1
), own AS (
    SELECT pg_catalog.hashtextextended((c.*)::pg_catalog.text, 0) AS hash, pg_catalog.count(*) AS n FROM {{ chunk|ident }} AS c GROUP BY 1
)
SELECT COALESCE(pg_catalog.sum(asked.n), 0)::bigint AS rows, COALESCE(pg_catalog.sum(LEAST(asked.n, COALESCE(own.n, 0))), 0)::bigint AS found
  FROM asked LEFT JOIN own ON own.hash = asked.hash
