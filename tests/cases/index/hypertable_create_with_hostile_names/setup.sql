CREATE SCHEMA "Odd schema";
CREATE TABLE "Odd schema"."Tick's ""x""" ("Time" timestamptz NOT NULL, "Sym; --" text);
SELECT create_hypertable('"Odd schema"."Tick''s ""x"""', 'Time');
INSERT INTO "Odd schema"."Tick's ""x""" VALUES ('2026-01-01 00:00:00+00', 'a');
