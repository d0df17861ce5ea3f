CREATE SCHEMA app;
CREATE TABLE app.a (id int);
CREATE TABLE app.b (id int);
CREATE TABLE app.c (id int);
CREATE SEQUENCE app.s;
CREATE ROLE moved_new;
CREATE ROLE moved_new_absent;
CREATE ROLE moved_new_exclusive;
CREATE ROLE moved_new_option;
