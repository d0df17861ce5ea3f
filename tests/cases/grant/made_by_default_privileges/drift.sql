DROP TABLE app.named;
CREATE TABLE app.named (id int);
GRANT INSERT ON app.named TO grant_later;
CREATE TABLE app.made_since (id int);
CREATE TABLE app.with_more (id int);
GRANT UPDATE ON app.with_more TO grant_later WITH GRANT OPTION;
