-- $1 schemas, $2 names: the relations that policies or the ledger speak of, with their columns.
-- LATERAL and the subquery's own order keep the planner off every chunk's pg_attribute rows.
-- OIDs below 10000 are PostgreSQL's own types, none of which is a domain.
-- Whether a table holds anything matters only where it may become a hypertable; that is asked of its
-- file, which takes its time, only where the statistics know of no page.
WITH scope AS MATERIALIZED (
    SELECT c.oid, n.nspname, c.relname, c.relkind, c.relowner,
           c.relkind IN ('r', 'm') AND c.relpages <= 0 AND NOT c.relhassubclass AS seems_empty
      FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2)) AS wanted (schema, name)
      JOIN pg_catalog.pg_namespace AS n ON n.nspname = wanted.schema
      JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = wanted.name
)
SELECT s.oid, s.nspname AS schema, s.relname AS name, s.relkind,
       pg_catalog.pg_get_userbyid(s.relowner) AS owner,
       pg_catalog.pg_has_role(s.relowner, 'USAGE') AS owned,
       (SELECT r.rolcanlogin FROM pg_catalog.pg_roles AS r WHERE r.oid = s.relowner) AS owner_logs_in,
       CASE WHEN s.seems_empty AND EXISTS (SELECT FROM pg_catalog.pg_extension AS e WHERE e.extname = 'timescaledb')
            THEN pg_catalog.pg_relation_size(s.oid) > 0
            ELSE true
       END AS has_pages,
       c.names, c.types, c.base_types, c.not_nulls
  FROM scope AS s
 CROSS JOIN LATERAL (
    SELECT pg_catalog.array_agg(a.attname::text) AS names,
           pg_catalog.array_agg(pg_catalog.format_type(a.atttypid, a.atttypmod)) AS types,
           pg_catalog.array_agg(
               CASE WHEN a.atttypid < 10000 THEN a.atttypid
                    ELSE (SELECT CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
                            FROM pg_catalog.pg_type AS t
                           WHERE t.oid = a.atttypid)
               END) AS base_types,
           pg_catalog.array_agg(a.attnotnull) AS not_nulls
      FROM (SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull
              FROM pg_catalog.pg_attribute AS a
             WHERE a.attrelid = s.oid AND a.attnum > 0 AND NOT a.attisdropped
             ORDER BY a.attnum) AS a
 ) AS c
