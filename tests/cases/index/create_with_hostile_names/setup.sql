CREATE SCHEMA "Odd ""schema""";
CREATE TABLE "Odd ""schema"""."T; '$$'" ("Näme 'q'" int, "a""b\" text, "$$ %s" int, "🦀" int);
INSERT INTO "Odd ""schema"""."T; '$$'" VALUES (1, 'x', 2, 3);
