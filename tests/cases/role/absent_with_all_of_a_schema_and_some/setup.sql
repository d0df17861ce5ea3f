CREATE SCHEMA app;
CREATE TABLE app.a (id int);
CREATE TABLE app.b (id int, note text);
CREATE TABLE app.c (id int);
CREATE SEQUENCE app.s;
CREATE SEQUENCE app.t;
