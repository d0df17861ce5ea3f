-- What `drift` saw and was told to record: the resources that differed, and how.
CREATE TABLE drift_reports (
    id          INTEGER PRIMARY KEY,
    database_id INTEGER NOT NULL REFERENCES databases (id),
    at          INTEGER NOT NULL,
    os_user     TEXT    NOT NULL,
    os_host     TEXT    NOT NULL
) STRICT;
CREATE INDEX drift_reports_database ON drift_reports (database_id);

CREATE TABLE drift_differences (
    report_id   INTEGER NOT NULL REFERENCES drift_reports (id),
    kind        TEXT    NOT NULL,
    schema      TEXT    NOT NULL,           -- '' where the resource lives in none
    name        TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    fingerprint TEXT    NOT NULL,
    PRIMARY KEY (report_id, kind, schema, name)
) STRICT, WITHOUT ROWID;
