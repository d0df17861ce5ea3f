-- afterwards: DROP TABLE app.c
CREATE TABLE app.c (id int);
