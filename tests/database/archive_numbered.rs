//! Copies of chunks of one name and one time: of a database that numbers its chunks anew, and of a chunk that has lost its
//! mark. None is taken for another without proof, and what may be there twice is told.

use libtest_mimic::Trial;

use crate::archive::{Test, files, prepared, run};
use crate::archive_again::{archive, archived, count, gives, prepare, superseded};
use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let tests: [(&str, Test); 3] =
        [("two_of_one_number", anew), ("one_without_its_mark", unmarked), ("of_a_mark_of_before", went_back)];
    prepared(tier, servers, "archive_numbered", prepare, &tests)
}

/// As after a dump: the next chunk has the number of one that was made since.
fn number_anew(db: &Db) {
    db.run("SELECT setval('_timescaledb_catalog.chunk_id_seq', (SELECT last_value - 1 FROM _timescaledb_catalog.chunk_id_seq))");
}

fn comment(db: &Db, comment: &str) {
    db.run(&format!(
        "DO $$ DECLARE chunk regclass; BEGIN
             FOR chunk IN SELECT show_chunks('public.readings') LOOP
                 EXECUTE format('COMMENT ON TABLE %s IS {comment}', chunk);
             END LOOP; END $$"
    ));
}

/// Two late rows, each of a chunk of its own.
fn anew(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    db.run("INSERT INTO public.readings VALUES ('2020-01-02 22:30+00', 1000, 'late')");
    run(place).expect(0);
    number_anew(db);
    db.run("INSERT INTO public.readings VALUES ('2020-01-02 23:30+00', 2000, 'later')");
    run(place).expect(0);
    assert_eq!((count(db), superseded(place)), ("0".to_owned(), (0, 0)));
    assert_eq!(gives(db, place), "74 74 5556");
    // They may be the same rows, for all that anybody knows: who looks is told, and chooses.
    let of_number = |name: &std::path::PathBuf| name.to_str().unwrap().contains("_4_chunk_");
    let both: Vec<String> = files(place, ".parquet")
        .iter()
        .filter(|name| of_number(name))
        .map(|name| name.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let [one, other] = &both[..] else { panic!("{both:?}") };
    for asked in [
        &["list"][..],
        &["query", "public.readings"],
        &["restore", "public.readings", "--auto-approve", "--into", "public.back"],
    ] {
        db.run("TRUNCATE public.back");
        let told = archive(place, asked).expect(0).err;
        assert!(told.contains("archive-beside") && told.contains(one) && told.contains(other), "{told}");
    }
    db.run("TRUNCATE public.back");
    let leave_out = ["--leave-out", one.as_str()];
    let asked = ["restore", "public.readings", "--auto-approve", "--into", "public.back"];
    let told = archive(place, &[&asked[..], &leave_out].concat()).expect(0);
    assert!(!told.err.contains("archive-beside"), "{}", told.err);
    assert_eq!(db.lines("SELECT count(*) FROM public.back"), ["73"]);
    let shown = archive(place, &[&["query", "public.readings"][..], &leave_out].concat()).expect(0);
    assert!(shown.out.contains("73 rows"), "{}", shown.out);
    let wrong = archive(place, &[&asked[..], &["--leave-out", "x"]].concat()).expect(1);
    assert!(wrong.err.contains("`x` is no file"), "{}", wrong.err);
}

/// Its rows tell that it is the one that was copied; where they do not, somebody is asked.
fn unmarked(db: &Db, place: &Workplace<'_>) {
    archived(place, "cold", false);
    run(place).expect(0);
    comment(db, "NULL");
    db.run("INSERT INTO public.readings VALUES ('2020-01-01 22:30+00', 1000, 'late')");
    run(place).expect(0);
    assert_eq!(gives(db, place), "73 73 3556");
    comment(db, "NULL");
    db.run("UPDATE public.readings SET value = value + 1000 WHERE time = '2020-01-01 05:00+00'");
    let refused = run(place).expect(4);
    assert!(refused.err.contains("copies-unknown") && refused.err.contains("only some of its rows"), "{}", refused.err);
    comment(db, "''Chronoform: counts instead of the archive''");
    run(place).expect(0);
    assert_eq!(gives(db, place), "73 73 4556");
}

/// The database is one of before, and so is its chunk's mark: a copy that was made since has rows that it has not.
fn went_back(db: &Db, place: &Workplace<'_>) {
    archived(place, "cold", false);
    run(place).expect(0);
    let chunk =
        db.lines("SELECT show_chunks('public.readings', older_than => timestamptz '2020-01-02 00:00+00')").remove(0);
    let mark = db.lines(&format!("SELECT obj_description('{chunk}'::regclass)")).remove(0);
    db.run("INSERT INTO public.readings VALUES ('2020-01-01 22:30+00', 1000, 'gone')");
    comment(db, "NULL");
    run(place).expect(0);
    db.run(&format!("DELETE FROM public.readings WHERE note = 'gone'; COMMENT ON TABLE {chunk} IS '{mark}'"));
    archived(place, "cold", true);
    let refused = run(place).expect(4);
    assert!(refused.err.contains("copies-unknown"), "{}", refused.err);
    let (_, beside) = refused.err.rsplit_once("`COMMENT ON").unwrap();
    db.run(&format!("COMMENT ON{}", beside.split_once('`').unwrap().0));
    run(place).expect(0);
    assert_eq!(count(db), "0");
    // Both count, so that none is lost.
    let told = archive(place, &["query", "public.readings"]).expect(0);
    assert!(told.err.contains("archive-beside") && told.out.contains("97 rows"), "{}\n{}", told.out, told.err);
}
