SELECT pg_catalog.current_setting('server_version') AS version_text,
       (SELECT system_identifier FROM pg_catalog.pg_control_system())::text AS system_identifier,
       d.datname AS database,
       d.oid AS database_oid,
       current_user::text AS role,
       r.rolsuper AS superuser,
       pg_catalog.pg_is_in_recovery() AS standby,
       pg_catalog.current_setting('default_transaction_read_only') = 'on' AS read_only,
       pg_catalog.pg_backend_pid() = 0 AS single_session,
       (extract(epoch FROM pg_catalog.now()) * 1000000)::bigint AS now_micros,
       e.extversion AS timescaledb,
       n.nspname AS timescaledb_schema,
       pg_catalog.current_setting('timescaledb.license', true) AS license,
       CASE WHEN e.oid IS NULL
            THEN EXISTS (SELECT FROM pg_catalog.pg_available_extensions AS a WHERE a.name = 'timescaledb')
            ELSE true
       END AS timescaledb_available
  FROM pg_catalog.pg_database AS d
  LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = current_user
  LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = 'timescaledb'
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 WHERE d.datname = pg_catalog.current_database()
