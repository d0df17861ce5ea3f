CREATE SCHEMA app;
CREATE TABLE app.named (id int);
CREATE ROLE grant_later;
