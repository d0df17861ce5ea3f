CREATE ROLE grant_late;
CREATE SCHEMA app;
CREATE TABLE app.raw (time timestamptz NOT NULL, v float8);
SELECT create_hypertable('app.raw', 'time');
INSERT INTO app.raw SELECT g, 1 FROM generate_series(timestamptz '2026-01-01', '2026-01-02', '1 hour') AS g;
