CREATE SCHEMA app;
CREATE TABLE app.a (id int);
CREATE TABLE app.b (id int);
CREATE ROLE role_staying;
GRANT DELETE ON app.a TO role_staying;
