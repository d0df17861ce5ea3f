SELECT NOT EXISTS (SELECT FROM pg_proc AS p, aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) AS a
                    WHERE p.oid = 'app.open()'::regprocedure AND a.grantee = 0);
SELECT NOT EXISTS (SELECT FROM pg_database AS d, aclexplode(COALESCE(d.datacl, acldefault('d', d.datdba))) AS a
                    WHERE d.datname = current_database() AND a.grantee = 0 AND a.privilege_type = 'TEMPORARY');
SELECT nspacl::text LIKE '%,=U/%' FROM pg_namespace WHERE nspname = 'app';
