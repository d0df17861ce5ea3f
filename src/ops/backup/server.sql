-- What a backup, and a server that starts from it, needs to know: one row a thing.
SELECT 'version' AS what, pg_catalog.current_setting('server_version_num') AS value
UNION ALL
SELECT 'segment', s.setting FROM pg_catalog.pg_settings AS s WHERE s.name = 'wal_segment_size'
UNION ALL
SELECT 'archives', (pg_catalog.current_setting('archive_mode') <> 'off')::text
UNION ALL
-- A superuser that may log in: if possible the one that initdb made, whom the server cannot do without.
SELECT 'superuser', (SELECT r.rolname
                       FROM pg_catalog.pg_roles AS r
                      WHERE r.rolsuper OR r.oid = 10
                      ORDER BY r.rolcanlogin DESC, r.oid = 10 DESC, r.oid
                      LIMIT 1)
UNION ALL
SELECT s.name, s.setting
  FROM pg_catalog.pg_settings AS s
 WHERE s.name IN ('max_connections', 'max_worker_processes', 'max_wal_senders', 'max_prepared_transactions',
                  'max_locks_per_transaction', 'dynamic_shared_memory_type', 'shared_preload_libraries')
UNION ALL
SELECT 'relations', pg_catalog.count(*) || ' relations, '
                    || pg_catalog.md5(COALESCE(pg_catalog.string_agg(n.nspname || '.' || c.relname || c.relkind::text, ','
                                               ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"), ''))
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relpersistence = 'p' AND n.nspname !~ '^pg_(temp|toast)'
UNION ALL
SELECT 'extensions', COALESCE(pg_catalog.string_agg(e.extname || ' ' || e.extversion, ', ' ORDER BY e.extname COLLATE "C"), 'none')
  FROM pg_catalog.pg_extension AS e
