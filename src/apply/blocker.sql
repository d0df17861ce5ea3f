-- $1 a relation's quoted name: the session that has held a lock on it for longest, other than this.
-- Not its query: that may hold anything, and this goes into logs.
SELECT pg_catalog.format('pid %s (%s) since %s', a.pid, a.usename,
                         pg_catalog.to_char(a.xact_start, 'HH24:MI:SS')) AS blocker
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.granted AND l.relation = pg_catalog.to_regclass($1)::oid AND l.pid <> pg_catalog.pg_backend_pid()
 ORDER BY a.xact_start NULLS LAST
 LIMIT 1
