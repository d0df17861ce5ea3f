CREATE SCHEMA "Sch'em""a; --";
CREATE TABLE "Sch'em""a; --"."Tab'le $$ \ {{ x }} %s" ("Time ""of day""" timestamptz NOT NULL, "select" text, "a,b; --" float8);
SELECT create_hypertable('"Sch''em""a; --"."Tab''le $$ \ {{ x }} %s"', by_range('Time "of day"', INTERVAL '1 day'));
