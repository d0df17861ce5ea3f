-- The audit log comes first and never changes its shape: every other table is what its events make.
CREATE TABLE audit (
    seq       INTEGER PRIMARY KEY CHECK (seq > 0),
    at        INTEGER NOT NULL,             -- microseconds since 1970, UTC, as every time here
    event     TEXT    NOT NULL,
    payload   TEXT    NOT NULL,             -- canonical JSON: sorted keys, no blanks, no fractions
    prev_hash TEXT    NOT NULL,
    hash      TEXT    NOT NULL
) STRICT;

-- What a run changed is read back from its events.
CREATE INDEX audit_resources ON audit (json_extract(payload, '$.run'))
    WHERE event IN ('resource-applied', 'resource-forgotten');

-- Against a slip of the hand. Whoever drops these on purpose is found by `verify`.
CREATE TRIGGER audit_never_updated BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever appended to');
END;
CREATE TRIGGER audit_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is only ever appended to');
END;

CREATE TABLE databases (
    id                INTEGER PRIMARY KEY,
    system_identifier TEXT    NOT NULL,
    oid               INTEGER NOT NULL,
    name              TEXT    NOT NULL,
    host              TEXT    NOT NULL,     -- as first connected to
    port              INTEGER NOT NULL,
    first_seen        INTEGER NOT NULL,
    UNIQUE (system_identifier, name, oid)
) STRICT;

CREATE TABLE runs (
    id              INTEGER PRIMARY KEY,
    database_id     INTEGER NOT NULL REFERENCES databases (id),
    command         TEXT    NOT NULL,
    started         INTEGER NOT NULL,
    finished        INTEGER,
    outcome         TEXT CHECK (outcome IN ('done', 'failed', 'cancelled', 'in_doubt', 'crashed')),
    os_user         TEXT    NOT NULL,
    os_host         TEXT    NOT NULL,
    pid             INTEGER NOT NULL,
    tool_version    TEXT    NOT NULL,
    role            TEXT,
    plan_digest     TEXT,
    policies_digest TEXT,
    summary         TEXT,                   -- JSON: a count by name
    CHECK ((finished IS NULL) = (outcome IS NULL)),
    CHECK ((finished IS NULL) = (summary IS NULL))
) STRICT;
CREATE INDEX runs_database ON runs (database_id);

CREATE TABLE steps (
    id            INTEGER PRIMARY KEY,
    run_id        INTEGER NOT NULL REFERENCES runs (id),
    action        INTEGER NOT NULL,
    step          INTEGER NOT NULL,
    op            TEXT    NOT NULL,
    kind          TEXT    NOT NULL,
    schema        TEXT    NOT NULL,         -- '' where the resource lives in none
    name          TEXT    NOT NULL,
    sql           TEXT    NOT NULL,
    transactional INTEGER NOT NULL CHECK (transactional IN (0, 1)),
    started       INTEGER NOT NULL,
    finished      INTEGER,
    outcome       TEXT    NOT NULL CHECK (outcome IN ('started', 'done', 'failed', 'cancelled', 'in_doubt',
                                                      'rolled_back', 'settled_done', 'settled_not_done')),
    error         TEXT,
    sqlstate      TEXT,
    elapsed_ms    INTEGER,
    note          TEXT,                     -- how a step in doubt was settled
    CHECK ((finished IS NULL) = (outcome = 'started'))
) STRICT;
CREATE INDEX steps_run ON steps (run_id);
CREATE INDEX steps_in_doubt ON steps (run_id) WHERE outcome IN ('started', 'in_doubt');

CREATE TABLE resources (
    database_id INTEGER NOT NULL REFERENCES databases (id),
    kind        TEXT    NOT NULL,
    schema      TEXT    NOT NULL,           -- '' where the resource lives in none
    name        TEXT    NOT NULL,
    on_schema   TEXT,
    on_name     TEXT,
    attributes  TEXT    NOT NULL,           -- JSON
    origin      TEXT    NOT NULL CHECK (origin IN ('created', 'adopted')),
    run_id      INTEGER NOT NULL REFERENCES runs (id),
    applied_at  INTEGER NOT NULL,
    policy_file TEXT,
    policy_line INTEGER,
    PRIMARY KEY (database_id, kind, schema, name),
    CHECK ((on_schema IS NULL) = (on_name IS NULL))
) STRICT, WITHOUT ROWID;
