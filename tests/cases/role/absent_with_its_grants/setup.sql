CREATE SCHEMA app;
CREATE TABLE app.a (id int);
CREATE TABLE app."Odd name" (id int);
CREATE SEQUENCE app.s;
CREATE FUNCTION app.f(integer, timestamptz) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE SCHEMA other;
CREATE TABLE other.t (id int, note text);
CREATE ROLE role_team;
