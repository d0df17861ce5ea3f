//! Chunks that the archive leaves as they are, and that it says so, whether or not anything is due.

use libtest_mimic::Trial;

use crate::archive::{Test, files, prepared, run};
use crate::archive_again::{archive, count, gives, prepare};
use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let tests: [(&str, Test); 2] =
        [("older_than_it_keeps", outlived), ("restored_and_with_an_unreadable_mark", restored)];
    let tests = if tier.has_policies() { &tests[..] } else { &tests[..1] };
    prepared(tier, servers, "archive_alone", prepare, tests)
}

/// The policies: the store keeps what it has for so long.
fn kept(place: &Workplace<'_>, keep: &str, drop: bool) {
    let path = place.path().join("store/cold");
    let store = format!("kind: archive_store\nname: cold\nlocation: {{path: {}}}\n{keep}", path.display());
    let table = format!("kind: table\nname: public.readings\narchive: {{to: cold, after: 30 days, drop: {drop}}}\n");
    place.write("policy.yaml", &format!("{store}---\n{table}"));
}

fn cleaned(place: &Workplace<'_>) -> Ran {
    let run = ["run", "archive", "--policies", "policy.yaml", "--auto-approve", "--allow", "deletes_data"];
    place.run(&run).expect(0)
}

/// What would leave the store at once is not brought there, and what has left it is not brought there again.
fn outlived(db: &Db, place: &Workplace<'_>) {
    kept(place, "", false);
    run(place).expect(0);
    kept(place, "keep: 300 days\n", false);
    cleaned(place);
    assert_eq!(files(place, ".json").len(), 0);
    for ran in [cleaned(place), place.run(&["plan", "policy.yaml"]).expect(0)] {
        assert!(
            ran.err.contains("left-alone") && ran.err.contains("3 chunks of public.readings are not archived"),
            "{}",
            ran.err
        );
    }
    assert!(cleaned(place).out.contains("Nothing is due."));
    assert_eq!((files(place, ".json").len(), count(db)), (0, "72".to_owned()));
    // What is to leave its table goes through the archive all the same.
    kept(place, "keep: 300 days\n", true);
    let planned = place.run(&["plan", "policy.yaml"]).expect(0);
    assert!(planned.out.contains("all but 3 chunks") && !planned.err.contains("left-alone"), "{}", planned.out);
}

fn restored(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    archive(place, &["restore", "public.readings", "--auto-approve"]).expect(0);
    let said = |words: &str| {
        let nothing = run(place).expect(0);
        assert!(nothing.out.contains("Nothing is due."), "{}", nothing.out);
        for ran in [nothing, place.run(&["plan", "policy.yaml"]).expect(0)] {
            assert!(ran.err.contains("left-alone") && ran.err.contains(words), "{}", ran.err);
        }
    };
    said("3 chunks of public.readings that came back from the archive are frozen still");
    db.run("SELECT _timescaledb_functions.unfreeze_chunk(c) FROM show_chunks('public.readings') AS c");
    let comment = |comment: &str| {
        db.run(&format!(
            "DO $$ DECLARE chunk regclass; BEGIN
                 FOR chunk IN SELECT show_chunks('public.readings') LOOP
                     EXECUTE format('COMMENT ON TABLE %s IS %L', chunk, {comment});
                 END LOOP; END $$"
        ));
    };
    comment("obj_description(chunk, 'pg_class') || ' (asked for by the auditors)'");
    said("3 chunks of public.readings are left alone, whose mark cannot be read");
    comment("'Chronoform: counts instead of the archive'");
    db.run("UPDATE public.readings SET value = value + 1000 WHERE time = '2020-01-01 05:00+00'");
    let ran = run(place).expect(0);
    assert!(!ran.err.contains("left-alone"), "{}", ran.err);
    assert_eq!((count(db), gives(db, place)), ("0".to_owned(), "72 72 3556".to_owned()));
}
