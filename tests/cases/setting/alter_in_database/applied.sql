SELECT c = 'work_mem=128MB' FROM (SELECT unnest(setconfig) AS c FROM pg_db_role_setting AS s
  JOIN pg_database AS d ON d.oid = s.setdatabase WHERE d.datname = current_database() AND s.setrole = 0) AS q
 WHERE c LIKE 'work_mem=%';
