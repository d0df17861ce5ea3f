CREATE SCHEMA app;
CREATE ROLE grant_mixed;
CREATE TABLE app.a (id int);
ALTER TABLE app.a OWNER TO grant_mixed;
CREATE TABLE app.b (id int);
GRANT INSERT ON app.b TO grant_mixed;
