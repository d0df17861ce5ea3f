CREATE TABLE app."made Since" (id serial);
CREATE FUNCTION app.made_since(integer) RETURNS int LANGUAGE sql AS 'SELECT 1';
DROP TABLE app.known;
CREATE TABLE app.known (id int);
GRANT INSERT ON app.known TO role_later;
CREATE SCHEMA "Made since";
CREATE TYPE app."Mood since" AS ENUM ('well');
CREATE DOMAIN app.amount_since AS int;
