-- $1 a relation's quoted name: the session that has held a lock on it for longest, other than this.
-- Not its query: that may hold anything, and this goes into logs. Who may not see other roles'
-- sessions gets nulls for most of it.
SELECT pg_catalog.concat_ws(', ',
           'role ' || a.usename::text,
           'application ' || nullif(a.application_name, ''),
           'pid ' || a.pid,
           'in a transaction since ' || pg_catalog.to_char(a.xact_start AT TIME ZONE 'UTC', 'HH24:MI:SS "UTC"'),
           'from ' || pg_catalog.host(a.client_addr)) AS blocker
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.granted AND l.relation = pg_catalog.to_regclass($1)::oid AND l.pid <> pg_catalog.pg_backend_pid()
 ORDER BY a.xact_start NULLS LAST
 LIMIT 1
