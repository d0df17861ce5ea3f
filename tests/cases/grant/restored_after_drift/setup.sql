CREATE SCHEMA app;
CREATE TABLE app.a (id int);
CREATE TABLE app.b (id int);
CREATE VIEW app.v AS SELECT id FROM app.a;
CREATE SEQUENCE app.s;
CREATE FUNCTION app.f(integer, timestamptz) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE app.p() LANGUAGE sql AS 'SELECT 1';
REVOKE EXECUTE ON FUNCTION app.f(integer, timestamptz) FROM PUBLIC;
