SELECT setconfig = ARRAY['work_mem=8MB'] FROM pg_db_role_setting WHERE setdatabase = 0 AND setrole = 'setting_app'::regrole;
SELECT setconfig = ARRAY[E'my_app.mode=it''s; \\ odd'] FROM pg_db_role_setting AS s
  JOIN pg_database AS d ON d.oid = s.setdatabase WHERE d.datname = current_database() AND setrole = 'setting_app'::regrole;
