-- $1 schemas, $2 names: the relations that policies or the ledger speak of, with their columns.
-- The inner array keeps the planner off every chunk's pg_attribute rows.
WITH scope AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relowner, c.relpages, c.relfilenode
      FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS wanted (schema, name)
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = wanted.schema
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.name
), columns AS (
    SELECT a.attrelid,
           pg_catalog.array_agg(a.attname::text ORDER BY a.attnum) AS names,
           pg_catalog.array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum) AS types,
           pg_catalog.array_agg(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END ORDER BY a.attnum) AS base_types,
           pg_catalog.array_agg(a.attnotnull ORDER BY a.attnum) AS not_nulls
      FROM pg_catalog.pg_attribute AS a
      JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
     WHERE a.attrelid = ANY (ARRAY(SELECT oid FROM scope)) AND a.attnum > 0 AND NOT a.attisdropped
     GROUP BY a.attrelid
)
SELECT s.oid, s.nspname AS schema, s.relname AS name, s.relkind,
       pg_catalog.pg_get_userbyid(s.relowner) AS owner,
       pg_catalog.pg_has_role(s.relowner, 'USAGE') AS owned,
       CASE WHEN s.relkind IN ('r', 'm') THEN pg_catalog.pg_relation_size(s.oid) > 0 ELSE true END AS has_pages,
       c.names, c.types, c.base_types, c.not_nulls
  FROM scope AS s
  LEFT JOIN columns AS c ON c.attrelid = s.oid
