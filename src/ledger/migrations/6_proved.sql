-- Which archived files `archive verify` has proved whole, and when it did so last. A file that is archived anew has
-- another manifest, and does not inherit it.
CREATE TABLE archive_proved (
    place    TEXT    NOT NULL,          -- where the store is
    manifest TEXT    NOT NULL,          -- the digest of the file's manifest
    at       INTEGER NOT NULL,
    PRIMARY KEY (place, manifest)
) STRICT, WITHOUT ROWID;
