-- What a statement brings to an archive, one row a chunk, or removes from it, one row a manifest.
CREATE TABLE step_archived (
    step_id     INTEGER NOT NULL REFERENCES steps (id),
    place       TEXT    NOT NULL,       -- where the store is
    file        TEXT    NOT NULL,       -- how the names of the chunk's files begin there
    schema      TEXT    NOT NULL,       -- '' where it is removed, and so in what follows
    name        TEXT    NOT NULL,
    chunk       TEXT    NOT NULL,
    range_start TEXT    NOT NULL,
    range_end   TEXT    NOT NULL,
    gone        INTEGER NOT NULL CHECK (gone IN (0, 1)),
    PRIMARY KEY (step_id, place, file)
) STRICT, WITHOUT ROWID;
