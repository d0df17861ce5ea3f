CREATE SCHEMA app;
CREATE TABLE app.t (id int);
CREATE ROLE role_secured;
CREATE POLICY own_rows ON app.t TO role_secured USING (true);
