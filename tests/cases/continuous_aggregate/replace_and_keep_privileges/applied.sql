SELECT count(*) = 240 FROM public.hourly;
SELECT pg_get_userbyid(relowner) = 'cagg_owner' FROM pg_class WHERE oid = 'public.hourly'::regclass;
SELECT string_agg(CASE WHEN a.grantee = 0 THEN 'public' ELSE a.grantee::regrole::text END || ' ' || a.privilege_type
                  || CASE WHEN a.is_grantable THEN '*' ELSE '' END, ', ' ORDER BY a.grantee, a.privilege_type)
       IN ('public SELECT, "Cagg""reader""" SELECT*, cagg_described SELECT')
  FROM pg_class AS c, aclexplode(c.relacl) AS a
 WHERE c.oid = 'public.hourly'::regclass AND a.grantee <> c.relowner;
SELECT has_table_privilege('cagg_described', 'public.hourly', 'SELECT')
   AND NOT has_table_privilege('cagg_described', 'public.hourly', 'UPDATE');
