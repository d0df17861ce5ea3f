-- What decides how each column of the relations with the schemas $1 and names $2 is stored. A domain is followed to what it is made of.
WITH RECURSIVE wanted AS (
    SELECT r.schema, r.relation, a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod, a.attgenerated, a.attidentity
      FROM unnest($1::text[], $2::text[]) AS r (schema, relation)
      JOIN pg_catalog.pg_namespace n ON n.nspname = r.schema
      JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = r.relation
      JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
), based AS (
    SELECT w.attrelid, w.attnum, w.atttypid AS typid, w.atttypmod AS typmod, 0 AS depth
      FROM wanted w
     UNION ALL
    SELECT b.attrelid, b.attnum, t.typbasetype, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE b.typmod END, b.depth + 1
      FROM based b
      JOIN pg_catalog.pg_type t ON t.oid = b.typid
     WHERE t.typtype = 'd'
), base AS (
    SELECT DISTINCT ON (attrelid, attnum) attrelid, attnum, typid, typmod
      FROM based
     ORDER BY attrelid, attnum, depth DESC
)
SELECT w.schema, w.relation, w.attname AS name,
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
  JOIN base b ON b.attrelid = w.attrelid AND b.attnum = w.attnum
  JOIN pg_catalog.pg_type t ON t.oid = b.typid
  LEFT JOIN pg_catalog.pg_proc po ON po.oid = t.typoutput
  LEFT JOIN pg_catalog.pg_namespace o ON o.oid = po.pronamespace
  LEFT JOIN pg_catalog.pg_proc pi ON pi.oid = t.typinput
  LEFT JOIN pg_catalog.pg_namespace i ON i.oid = pi.pronamespace
 ORDER BY w.schema, w.relation, w.attnum
