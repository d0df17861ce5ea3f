CREATE SCHEMA app;
CREATE ROLE grant_owner;
GRANT ALL ON SCHEMA app TO grant_owner;
CREATE TABLE app.a (id int);
ALTER TABLE app.a OWNER TO grant_owner;
CREATE TABLE app.b (id int);
CREATE TABLE app.c (id int);
GRANT INSERT ON app.b TO grant_owner;
