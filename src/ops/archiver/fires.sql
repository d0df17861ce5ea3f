-- What an INSERT into the relation of the schema $1 and the name $2 sets off that could change the rows, or do
-- something else with them: triggers and rules, each by its name. What TimescaleDB has put there for itself is
-- none of it. On a hypertable ($3 is 1) a trigger counts also where it is disabled: in a chunk that is made by the
-- INSERT, it is not.
WITH RECURSIVE target AS (
    SELECT c.oid
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = $1 AND c.relname = $2
     UNION
    SELECT i.inhrelid
      FROM target AS t
      JOIN pg_catalog.pg_inherits AS i ON i.inhparent = t.oid
)
SELECT DISTINCT 'trigger' AS what, t.tgname::text AS name, t.tgenabled = 'D' AS disabled
  FROM target AS r
  JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = r.oid
 WHERE NOT t.tgisinternal AND t.tgtype & 4 <> 0
   AND (t.tgenabled IN ('O', 'A') OR $3 = 1 AND t.tgenabled = 'D')
   AND NOT EXISTS (SELECT
                     FROM pg_catalog.pg_depend AS d
                     JOIN pg_catalog.pg_extension AS e ON e.oid = d.refobjid AND e.extname = 'timescaledb'
                    WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = t.tgfoid AND d.deptype = 'e')
 UNION ALL
SELECT DISTINCT 'rule', w.rulename::text, false
  FROM target AS r
  JOIN pg_catalog.pg_rewrite AS w ON w.ev_class = r.oid
 WHERE w.ev_type = '3' AND w.ev_enabled IN ('O', 'A')
 ORDER BY 1, 2, 3
