CREATE SCHEMA "Sch'em""a; --";
CREATE TABLE "Sch'em""a; --"."Tab'le $$ \ {{ x }} %s" ("Time ""of day""" timestamptz NOT NULL, "select" text);
SELECT create_hypertable('"Sch''em""a; --"."Tab''le $$ \ {{ x }} %s"', by_range('Time "of day"', INTERVAL '1 day'));
CREATE INDEX "In'dex "" $$ \ {{ x }} %s; DROP TABLE x; --" ON "Sch'em""a; --"."Tab'le $$ \ {{ x }} %s" ("select");
