CREATE SCHEMA "Odd ""schema";
CREATE TABLE "Odd ""schema"."a.b'; DROP TABLE x; --" ("Zeit $$" timestamptz NOT NULL, "名'\\" text);
