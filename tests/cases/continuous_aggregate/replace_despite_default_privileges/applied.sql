SELECT string_agg(a.privilege_type, ', ') = 'SELECT' FROM pg_class AS c, aclexplode(c.relacl) AS a
 WHERE c.oid = 'public.hourly'::regclass AND a.grantee <> c.relowner;
SELECT count(*) > 0, count(*) FILTER (WHERE a.privilege_type = 'INSERT') = 0 FROM pg_class AS c, aclexplode(c.relacl) AS a
 WHERE c.oid = 'public.hourly'::regclass AND a.grantee = c.relowner;
SELECT count(*) = 0 FROM pg_class AS c, aclexplode(c.relacl) AS a
 WHERE c.oid = 'public.daily'::regclass AND a.grantee <> c.relowner;
