CREATE SCHEMA app;
CREATE ROLE grant_columns;
CREATE TABLE app.a (id int, note text, "Odd one" text);
CREATE TABLE app.b (id int, note text);
CREATE TABLE app.c (id int);
GRANT UPDATE (id, "Odd one"), SELECT (id) ON app.a TO grant_columns;
GRANT INSERT (id) ON app.b TO grant_columns;
GRANT SELECT (id) ON app.c TO grant_columns;
