SELECT string_agg(a.privilege_type, ', ' ORDER BY 1) = 'UPDATE' FROM pg_class AS c, aclexplode(c.relacl) AS a
 WHERE c.oid = 'public.hourly'::regclass AND a.grantee = 'kept_by_default'::regrole;
SELECT count(*) = 0 FROM pg_class AS c, aclexplode(c.relacl) AS a
 WHERE c.oid = 'public.daily'::regclass AND a.grantee = 'kept_by_default'::regrole;
