CREATE SCHEMA app;
CREATE TABLE app.known (id int);
CREATE ROLE role_later;
