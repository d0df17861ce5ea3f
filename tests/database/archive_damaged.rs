//! What is damaged, unfinished or of another database keeps nobody from the rest, and is told.

use std::fs;

use libtest_mimic::{Failed, Trial};

use crate::archive::{Test, files, prepared, run};
use crate::archive_again::{archive, count, prepare};
use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let tests: [(&str, Test); 2] = [("of_another_time", of_another_time), ("unfinished", unfinished)];
    let mut trials = prepared(tier, servers, "archive_damaged", prepare, &tests);
    // Where each database is of a server of its own, they are of one name.
    if tier.is_timescale() && !tier.single_session() {
        let servers = servers.clone();
        trials.push(Trial::test(
            format!("{tier}::archive_damaged::of_another_database"),
            move || -> Result<(), Failed> {
                let (db, other) = (servers.db(tier)?, servers.db(tier)?);
                of_another_database((&db, &Workplace::new(&db)), (&other, &Workplace::new(&other)));
                Ok(())
            },
        ));
    }
    trials
}

const INTO: [&str; 5] = ["restore", "public.readings", "--auto-approve", "--into", "public.back"];

fn back(db: &Db) -> String {
    let back = db.lines("SELECT count(*) FROM public.back").remove(0);
    db.run("TRUNCATE public.back");
    back
}

/// A manifest that cannot be read is of the time that its name tells, and can be left out.
fn of_another_time(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    db.run("CREATE TABLE public.back (LIKE public.readings)");
    let damaged = &files(place, ".json")[0];
    fs::write(damaged, "{").unwrap();
    archive(place, &[&INTO[..], &["--from", "2020-01-02"]].concat()).expect(0);
    assert_eq!(back(db), "48");
    archive(place, &["query", "public.readings", "--from", "2020-01-02"]).expect(0);
    let name = damaged.file_name().unwrap().to_str().unwrap();
    for more in [&[][..], &["--from", "2020-01-01 23:00"]] {
        let refused = archive(place, &[&INTO[..], more].concat()).expect(1);
        assert!(refused.err.contains(name) && refused.err.contains("--leave-out"), "{}", refused.err);
        archive(place, &[&INTO[..], more, &["--leave-out", name]].concat()).expect(0);
        assert_eq!(back(db), "48");
    }
    archive(place, &["query", "public.readings"]).expect(2);
    archive(place, &["query", "public.readings", "--leave-out", name]).expect(0);
}

/// What a run that was killed has not finished is named, and goes with the next.
fn unfinished(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    let folder = files(place, ".json")[0].parent().unwrap().to_owned();
    let left = ["_hyper_1_9_chunk.partial", "_hyper_1_9_chunk.json.partial"].map(|name| folder.join(name));
    left.iter().for_each(|left| fs::write(left, "what a run has left").unwrap());
    for asked in [&["list"][..], &["verify"], &["list", "public.readings"]] {
        let told = archive(place, asked).expect(0);
        assert!(told.err.contains("archive-unsealed") && told.err.contains("2 files are not finished"), "{}", told.err);
    }
    // Nothing is due.
    run(place).expect(0);
    assert!(left[0].exists());
    db.run("INSERT INTO public.readings VALUES ('2020-01-02 22:30+00', 1000, 'late')");
    let ran = run(place).expect(0);
    assert!(ran.err.contains("_hyper_1_9_chunk.partial, which a run that was cut off has left"), "{}", ran.err);
    assert!(files(place, ".partial").is_empty());
    assert!(!archive(place, &["list"]).expect(0).err.contains("archive-unsealed"));
}

/// Two databases archive a table of one name to one store.
fn of_another_database((db, place): (&Db, &Workplace<'_>), (other, beside): (&Db, &Workplace<'_>)) {
    prepare(db, place);
    run(place).expect(0);
    let listed = archive(place, &["list", "--format", "json"]).expect(0).out;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let name = listed[0]["database"].as_str().unwrap().to_owned();
    prepare(other, beside);
    other.run("DELETE FROM public.readings WHERE value >= 24");
    beside.write("policy.yaml", &fs::read_to_string(place.path().join("policy.yaml")).unwrap());
    other.run("CREATE TABLE public.back (LIKE public.readings)");
    // As long as nothing is of this one, it is the other's: the database was renamed.
    archive(beside, &INTO).expect(0);
    assert_eq!(back(other), "72");
    run(beside).expect(0);
    assert_eq!(count(other), "0");
    let told = archive(beside, &INTO).expect(0);
    assert!(
        told.err.contains("other-database") && told.err.contains(&name) && told.err.contains("3 files"),
        "{}",
        told.err
    );
    assert_eq!(back(other), "24");
    let named = archive(beside, &[&INTO[..], &["--database", &name]].concat()).expect(0);
    assert!(!named.err.contains("other-database"), "{}", named.err);
    assert_eq!(back(other), "72");
    let shown = archive(beside, &["query", "public.readings", "--database", &name]).expect(0);
    assert!(shown.out.starts_with("72 rows"), "{}", shown.out);
}
