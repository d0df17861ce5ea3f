CREATE SCHEMA "Odd ""schema""";
CREATE TABLE "Odd ""schema"""."T; '$$' --" (id int, note text);
