-- What goes, in the same transaction, with what a statement makes anew, and is to be made again after it.
CREATE TABLE step_along (
    step_id INTEGER NOT NULL REFERENCES steps (id),
    kind    TEXT    NOT NULL,
    schema  TEXT    NOT NULL,           -- '' where the resource lives in none
    name    TEXT    NOT NULL,
    paused  INTEGER NOT NULL CHECK (paused IN (0, 1)),
    away    INTEGER NOT NULL CHECK (away IN (0, 1)),    -- until a later statement makes it again
    PRIMARY KEY (step_id, kind, schema, name)
) STRICT, WITHOUT ROWID;
