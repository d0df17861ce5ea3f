SELECT c = 'work_mem=64MB' FROM (SELECT unnest(setconfig) AS c FROM pg_db_role_setting AS s
  JOIN pg_database AS d ON d.oid = s.setdatabase WHERE d.datname = current_database() AND s.setrole = 0) AS q
 WHERE c LIKE 'work_mem=%';
SELECT c = 'jit=off' FROM (SELECT unnest(setconfig) AS c FROM pg_db_role_setting AS s
  JOIN pg_database AS d ON d.oid = s.setdatabase WHERE d.datname = current_database() AND s.setrole = 0) AS q
 WHERE c LIKE 'jit=%';
SELECT c = 'search_path="$user", "Odd, name", public' FROM (SELECT unnest(setconfig) AS c FROM pg_db_role_setting AS s
  JOIN pg_database AS d ON d.oid = s.setdatabase WHERE d.datname = current_database()) AS q WHERE c LIKE 'search_path=%';
