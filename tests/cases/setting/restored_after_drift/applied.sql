SELECT c = 'work_mem=64MB' FROM (SELECT unnest(setconfig) AS c FROM pg_db_role_setting AS s
  JOIN pg_database AS d ON d.oid = s.setdatabase WHERE d.datname = current_database() AND s.setrole = 0) AS q
 WHERE c LIKE 'work_mem=%';
SELECT c = 'statement_timeout=30s' FROM (SELECT unnest(setconfig) AS c FROM pg_db_role_setting AS s
  JOIN pg_database AS d ON d.oid = s.setdatabase WHERE d.datname = current_database() AND s.setrole = 0) AS q
 WHERE c LIKE 'statement_timeout=%';
