SELECT pg_catalog.count(*) AS rows FROM {{ chunk|ident }} AS c
