{# A star after the alias, because the chunk may have a column of that name. #}
SELECT pg_catalog.count(*) AS rows, COALESCE(pg_catalog.sum(pg_catalog.hashtextextended((c.*)::pg_catalog.text, 0)::pg_catalog.numeric), 0)::pg_catalog.text AS sum FROM {{ chunk|ident }} AS c
