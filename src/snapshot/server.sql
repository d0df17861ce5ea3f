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
       END AS timescaledb_available,
       -- In the schema of TimescaleDB's functions, of the name of one of those that are called ($1 text[]), fit for as many
       -- arguments, and of a role that may not act as this one already.
       (SELECT pg_catalog.string_agg(p.oid::pg_catalog.regprocedure::text || ' of ' || pg_catalog.pg_get_userbyid(p.proowner),
                                     ', ' ORDER BY p.oid::pg_catalog.regprocedure::text)
          FROM pg_catalog.pg_proc AS p
         CROSS JOIN LATERAL (
           -- What is given back by a procedure is named in its call, too.
           SELECT p.pronargs - p.pronargdefaults AS least,
                  CASE WHEN p.provariadic <> 0 THEN 32767
                       WHEN p.prokind = 'p' THEN GREATEST(p.pronargs, pg_catalog.cardinality(p.proallargtypes))
                       ELSE p.pronargs END AS most) AS takes
         WHERE p.pronamespace = e.extnamespace
           AND p.proname = ANY ($1::text[])
           AND NOT pg_catalog.pg_has_role(p.proowner, current_user, 'MEMBER')
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                            WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
                              AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.deptype = 'e')
           AND EXISTS (SELECT FROM pg_catalog.pg_proc AS o
                         JOIN pg_catalog.pg_depend AS d
                           ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = o.oid
                          AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.refobjid = e.oid
                          AND d.deptype = 'e'
                        WHERE o.pronamespace = p.pronamespace AND o.proname = p.proname
                          AND (o.prokind = 'p') = (p.prokind = 'p')
                          AND takes.least <= o.pronargs AND takes.most >= o.pronargs - o.pronargdefaults)) AS overloads
  FROM pg_catalog.pg_database AS d
  LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = current_user
  LEFT JOIN pg_catalog.pg_extension AS e ON e.extname = 'timescaledb'
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
 WHERE d.datname = pg_catalog.current_database()
