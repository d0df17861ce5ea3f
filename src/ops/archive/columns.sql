-- What decides how each column of a relation is stored. A domain is followed to what it is made of.
WITH RECURSIVE wanted AS (
    SELECT a.attnum, a.attname, a.atttypid, a.atttypmod, a.attgenerated, a.attidentity
      FROM pg_catalog.pg_attribute a
      JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2 AND a.attnum > 0 AND NOT a.attisdropped
), based AS (
    SELECT w.attnum, w.atttypid AS typid, w.atttypmod AS typmod, 0 AS depth
      FROM wanted w
     UNION ALL
    SELECT b.attnum, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE b.typmod END, b.depth + 1
      FROM based b
      JOIN pg_catalog.pg_type t ON t.oid = b.typid
     WHERE t.typtype = 'd'
), base AS (
    SELECT DISTINCT ON (attnum) attnum, typid, typmod
      FROM based
     ORDER BY attnum, depth DESC
)
SELECT w.attname AS name,
       pg_catalog.format_type(w.atttypid, w.atttypmod) AS declared,
       pg_catalog.format_type(b.typid, b.typmod) AS base,
       b.typid AS type_oid,
       b.typmod AS typmod,
       t.typtype AS typtype,
       CASE WHEN t.typlen = -1 AND t.typelem <> 0 THEN t.typelem ELSE 0 END AS element_oid,
       w.attgenerated <> '' AS generated,
       t.typoutput <> 0 AND t.typinput <> 0 AS has_text,
       EXISTS (
           SELECT FROM pg_catalog.pg_cast k
            WHERE k.castfunc <> 0 AND k.oid >= 16384
              AND ((k.castsource = b.typid AND k.casttarget = 'pg_catalog.text'::pg_catalog.regtype)
                   OR (k.casttarget = b.typid AND k.castsource = 'pg_catalog.text'::pg_catalog.regtype))
       ) AS own_cast,
       o.nspname AS output_schema,
       po.proname AS output_name,
       i.nspname AS input_schema,
       pi.proname AS input_name,
       pi.pronargs AS input_arguments
  FROM wanted w
  JOIN base b ON b.attnum = w.attnum
  JOIN pg_catalog.pg_type t ON t.oid = b.typid
  LEFT JOIN pg_catalog.pg_proc po ON po.oid = t.typoutput
  LEFT JOIN pg_catalog.pg_namespace o ON o.oid = po.pronamespace
  LEFT JOIN pg_catalog.pg_proc pi ON pi.oid = t.typinput
  LEFT JOIN pg_catalog.pg_namespace i ON i.oid = pi.pronamespace
 ORDER BY w.attnum
