CREATE TABLE app.late (id int);
CREATE SEQUENCE app.late_s;
REVOKE SELECT ON app.b FROM moved_new;
REVOKE DELETE ON app.b FROM moved_new_absent;
GRANT INSERT ON app.a TO moved_new_exclusive;
