//! Chunks that are merged or split keep one mark between them: what they have is still counted once, or somebody is asked.

use libtest_mimic::Trial;

use crate::archive::{Test, files, prepared, run};
use crate::archive_again::{archive, archived, brought_back, count, gives, prepare, superseded};
use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier whose TimescaleDB can merge chunks.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let tests: [(&str, Test); 7] = [
        ("of_what_stayed", stayed),
        ("of_what_was_corrected", corrected),
        ("of_what_came_back", came_back),
        ("with_late_rows", with_late_rows),
        ("and_filled_by_a_restore", filled),
        ("split", split),
        ("and_split_again", split_again),
    ];
    let tests = if tier.has_policies() { &tests[..] } else { &[] };
    prepared(tier, servers, "archive_merged", prepare, tests)
}

/// Whether the server has a procedure.
fn has(db: &Db, name: &str) -> bool {
    db.lines(&format!("SELECT count(*) FROM pg_proc WHERE proname = '{name}'")) != ["0"]
}

/// Merges the first two chunks.
fn merge(db: &Db) {
    let chunks = db.lines("SELECT c FROM show_chunks('public.readings') AS c JOIN timescaledb_information.chunks AS i ON format('%I.%I', i.chunk_schema, i.chunk_name)::regclass = c ORDER BY i.range_start");
    db.run(&format!("CALL merge_chunks('{}', '{}')", chunks[0], chunks[1]));
}

fn stayed(db: &Db, place: &Workplace<'_>) {
    if !has(db, "merge_chunks") {
        return;
    }
    archived(place, "cold", false);
    run(place).expect(0);
    merge(db);
    run(place).expect(0);
    assert_eq!(
        (files(place, ".json").len(), gives(db, place), superseded(place)),
        (4, "72 72 2556".to_owned(), (2, 0))
    );
    assert!(run(place).expect(0).out.contains("Nothing is due."));
    archived(place, "cold", true);
    db.run("UPDATE public.readings SET value = value + 1000 WHERE time < '2020-01-02 12:00+00'");
    run(place).expect(0);
    assert_eq!((count(db), gives(db, place)), ("0".to_owned(), "72 72 38556".to_owned()));
    archive(place, &["verify"]).expect(0);
}

fn came_back(db: &Db, place: &Workplace<'_>) {
    if !has(db, "merge_chunks") {
        return;
    }
    run(place).expect(0);
    brought_back(db, place, &[]);
    db.run("INSERT INTO public.readings VALUES ('2020-01-02 22:30+00', 1000, 'late')");
    merge(db);
    run(place).expect(0);
    assert_eq!((count(db), gives(db, place), superseded(place)), ("0".to_owned(), "73 73 3556".to_owned(), (3, 0)));
}

/// Where the rows do not tell it, somebody says it.
fn corrected(db: &Db, place: &Workplace<'_>) {
    if !has(db, "merge_chunks") {
        return;
    }
    run(place).expect(0);
    brought_back(db, place, &[]);
    db.run("UPDATE public.readings SET value = value + 1000 WHERE time >= '2020-01-02 12:00+00'");
    merge(db);
    let refused = run(place).expect(4);
    for told in
        ["copies-unknown", "only some of its rows", "counts instead of the archive", "beyond what its mark tells"]
    {
        assert!(refused.err.contains(told), "{told}\n{}", refused.err);
    }
    assert_eq!((count(db), superseded(place)), ("72".to_owned(), (0, 0)));
    db.run(
        "DO $$ BEGIN EXECUTE format('COMMENT ON TABLE %s IS %L', (SELECT min(c::text) FROM show_chunks('public.readings') AS c),
            'Chronoform: counts instead of the archive'); END $$",
    );
    run(place).expect(0);
    assert_eq!((count(db), gives(db, place), superseded(place)), ("0".to_owned(), "72 72 38556".to_owned(), (3, 0)));
}

/// The chunk that the late rows have made is the one that stays, without a mark.
fn with_late_rows(db: &Db, place: &Workplace<'_>) {
    if !has(db, "merge_chunks") {
        return;
    }
    run(place).expect(0);
    db.run("INSERT INTO public.readings VALUES ('2020-01-01 22:30+00', 1000, 'late')");
    brought_back(db, place, &["--from", "2020-01-02", "--to", "2020-01-03"]);
    merge(db);
    run(place).expect(0);
    assert_eq!((count(db), gives(db, place), superseded(place)), ("0".to_owned(), "73 73 3556".to_owned(), (1, 0)));
}

/// A part of what a chunk has that was merged is brought back, and the mark still tells no more than it knows.
fn filled(db: &Db, place: &Workplace<'_>) {
    if !has(db, "merge_chunks") {
        return;
    }
    run(place).expect(0);
    brought_back(db, place, &["--from", "2020-01-01", "--to", "2020-01-01 12:00+00"]);
    db.run("INSERT INTO public.readings VALUES ('2020-01-02 22:30+00', 1000, 'late')");
    merge(db);
    brought_back(db, place, &["--from", "2020-01-01 12:00+00", "--to", "2020-01-02"]);
    assert_eq!(count(db), "25");
    // None of the second day's is there, and the chunk may have had that as well.
    let refused = run(place).expect(4);
    assert!(refused.err.contains("none of its rows is there"), "{}", refused.err);
    // It has not, and what its mark tells stays told.
    let (_, comment) = refused.err.rsplit_once("`COMMENT ON").unwrap();
    db.run(&format!("COMMENT ON{}", comment.split_once('`').unwrap().0));
    run(place).expect(0);
    assert_eq!((count(db), gives(db, place)), ("0".to_owned(), "73 73 3556".to_owned()));
}

fn split(db: &Db, place: &Workplace<'_>) {
    if !has(db, "split_chunk") {
        return;
    }
    archived(place, "cold", false);
    run(place).expect(0);
    let chunk =
        db.lines("SELECT show_chunks('public.readings', older_than => timestamptz '2020-01-02 00:00+00')").remove(0);
    db.run(&format!("CALL split_chunk('{chunk}')"));
    archived(place, "cold", true);
    db.run("INSERT INTO public.readings VALUES ('2020-01-01 22:30+00', 1000, 'late')");
    run(place).expect(0);
    assert_eq!((count(db), gives(db, place), superseded(place)), ("0".to_owned(), "73 73 3556".to_owned(), (1, 0)));
    archive(place, &["verify"]).expect(0);
}

/// The piece that is split off has the very range of an earlier copy and no mark, as what late rows make has.
fn split_again(db: &Db, place: &Workplace<'_>) {
    if !has(db, "split_chunk") {
        return;
    }
    archived(place, "cold", false);
    run(place).expect(0);
    merge(db);
    let chunk = db.lines("SELECT min(c::text) FROM show_chunks('public.readings') AS c").remove(0);
    db.run(&format!("CALL split_chunk('{chunk}', split_at => '2020-01-02 00:00+00')"));
    archived(place, "cold", true);
    run(place).expect(0);
    assert_eq!((count(db), gives(db, place), superseded(place)), ("0".to_owned(), "72 72 2556".to_owned(), (1, 0)));
    // What came late is beside what is archived, also where one of the rows is there already.
    db.run("INSERT INTO public.readings VALUES ('2020-01-02 05:00+00', 29, 'first'), ('2020-01-02 22:30+00', 1000, 'late')");
    run(place).expect(0);
    assert_eq!((count(db), gives(db, place)), ("0".to_owned(), "74 73 3585".to_owned()));
}
