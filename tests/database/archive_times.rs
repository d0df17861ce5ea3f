//! What --from and --to mean for the time of a table, whatever its type; and which time is now.

use libtest_mimic::Trial;

use crate::archive::{Test, left_of, prepared, run};
use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let tests: [(&str, Test); 3] = [
        ("what_is_asked_for_is_what_comes_back", asked),
        ("into_another_that_is_archived", archived_as_well),
        ("what_rows_of_now_go_into_is_not_frozen", now),
    ];
    prepared(tier, servers, "archive_times", |_, _| {}, &tests)
}

/// A table of the times that a query gives, the first of which are long ago, all of them archived.
fn prepare(db: &Db, place: &Workplace<'_>, kind: &str, by: &str, times: &str) {
    db.run(&format!(
        "DROP TABLE IF EXISTS public.t; DROP TABLE IF EXISTS public.back;
         CREATE TABLE public.t (at {kind} NOT NULL, v int);
         SELECT create_hypertable('public.t', by_range('at', {by}));
         CREATE OR REPLACE FUNCTION public.t_now() RETURNS bigint LANGUAGE sql STABLE
             AS 'SELECT extract(epoch FROM now())::bigint';
         INSERT INTO public.t SELECT {times}, i FROM generate_series(0, 47) AS i;
         CREATE TABLE public.back (LIKE public.t)"
    ));
    if kind == "bigint" {
        db.run("SELECT set_integer_now_func('public.t', 'public.t_now')");
    }
    let store = place.path().join("store");
    let after = if kind == "bigint" { "2592000" } else { "30 days" };
    place.write(
        "policy.yaml",
        &format!(
            "kind: archive_store\nname: cold\nlocation: {{path: {}}}\n---\nkind: table\nname: public.t\n\
             archive: {{to: cold, after: {after}, drop: true}}\n",
            store.display()
        ),
    );
    crate::archive::forget(place);
    run(place).expect(0);
    assert_eq!(left_of(db, "public.t"), 0);
}

fn archive(place: &Workplace<'_>, more: &[&str]) -> Ran {
    place.run(&[&["archive"], more, &["--policies", "policy.yaml"]].concat())
}

/// How many rows are seen of a time, and how many come back of it.
fn counts(db: &Db, place: &Workplace<'_>, from: &str, to: &str) -> (u64, u64) {
    let span = ["--from", from, "--to", to];
    let shown = archive(place, &[&["query", "public.t", "--format", "json"], &span[..]].concat()).expect(0).out;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let seen = shown.as_array().unwrap().iter().map(|file| file["of"]["rows"].as_u64().unwrap()).sum();
    db.run("TRUNCATE public.back");
    let back = ["restore", "public.t", "--auto-approve", "--into", "public.back"];
    archive(place, &[&back, &span[..]].concat()).expect(0);
    (seen, left_of(db, "public.back"))
}

/// It means nothing for the time of the table, and nothing is told of what is there for it.
fn refused(place: &Workplace<'_>, from: &str) {
    for asked in
        [&["list"][..], &["list", "public.t"], &["query", "public.t"], &["restore", "public.t", "--auto-approve"]]
    {
        let told = archive(place, &[asked, &["--from", from]].concat()).expect(1);
        assert!(told.err.contains("does not go with the time of public.t"), "{asked:?} {}", told.err);
    }
}

fn asked(db: &Db, place: &Workplace<'_>) {
    let hours = |kind: &str| format!("{kind} '2020-01-01 00:00' + i * INTERVAL '1 hour'");
    for kind in ["timestamp", "timestamptz"] {
        prepare(db, place, kind, "INTERVAL '1 day'", &hours(kind));
        for (from, to, rows) in [
            ("2020-01-01 02:00+02", "2020-01-02", 24),
            ("2020-01-01 12:00+02", "2020-01-02 00:00+02", 12),
            ("2020-01-01 22:30Z", "2020-01-02 01:00", 2),
        ] {
            assert_eq!(counts(db, place, from, to), (rows, rows), "{kind} {from} {to}");
        }
        refused(place, "20200102");
    }
    prepare(db, place, "date", "INTERVAL '7 days'", "date '2020-01-02' + i");
    assert_eq!(counts(db, place, "2020-01-02", "2020-01-09"), (7, 7));
    for wrong in ["2020-01-03 12:00", "20200103"] {
        refused(place, wrong);
    }
    prepare(db, place, "bigint", "86400", "1577836800 + i * 3600");
    assert_eq!(counts(db, place, "1577840400", "1577847600"), (2, 2));
    refused(place, "2020-01-01");
}

/// Into another table that is archived, whose chunks nothing freezes.
fn archived_as_well(db: &Db, place: &Workplace<'_>) {
    if !db.tier().has_policies() {
        return;
    }
    prepare(db, place, "timestamptz", "INTERVAL '1 day'", "timestamptz '2020-01-01 00:00' + i * INTERVAL '1 hour'");
    let told = archive(place, &["restore", "public.t", "--auto-approve", "--into", "public.back"]).expect(0);
    assert!(!told.err.contains("restored-unfrozen"), "{}", told.err);
    db.run("TRUNCATE public.back; SELECT create_hypertable('public.back', by_range('at', INTERVAL '1 day'))");
    let policy = std::fs::read_to_string(place.path().join("policy.yaml")).unwrap();
    let section = policy.split_once("---\n").unwrap().1.replace("public.t", "public.back");
    place.write("policy.yaml", &format!("{policy}---\n{section}"));
    let told = archive(place, &["restore", "public.t", "--auto-approve", "--into", "public.back"]).expect(0);
    assert!(told.err.contains("restored-unfrozen") && told.err.contains("archive public.back itself"), "{}", told.err);
}

/// Frozen, it would refuse them.
fn now(db: &Db, place: &Workplace<'_>) {
    if !db.tier().has_policies() {
        return;
    }
    let epoch = "(extract(epoch FROM now())::bigint / 86400) * 86400";
    for (kind, by, wide, times, now) in [
        ("bigint", "86400", "36500000000", format!("{epoch} - 86400 * 90 + i * 3600"), "public.t_now()"),
        (
            "timestamp",
            "INTERVAL '1 day'",
            "INTERVAL '1000 years'",
            "date_trunc('day', now()::timestamp) - INTERVAL '90 days' + i * INTERVAL '1 hour'".to_owned(),
            "now()::timestamp",
        ),
    ] {
        let again = |is_there: bool| {
            prepare(db, place, kind, by, &times);
            db.run(&format!("SELECT set_chunk_time_interval('public.t', {wide})"));
            // Whether the chunk is there already or made by what comes back.
            if is_there {
                db.run(&format!("INSERT INTO public.t VALUES ({now}, 1000)"));
            }
            let told = archive(place, &["restore", "public.t", "--auto-approve"]).expect(0);
            assert!(told.err.contains("restored-unfrozen"), "{kind} {}", told.err);
            db.run(&format!("INSERT INTO public.t VALUES ({now}, 1001)"));
        };
        again(true);
        again(false);
        // What is over is frozen.
        prepare(db, place, kind, by, &times);
        let told = archive(place, &["restore", "public.t", "--auto-approve"]).expect(0);
        assert!(
            !told.err.contains("restored-unfrozen") && told.out.contains("frozen"),
            "{kind} {} {}",
            told.out,
            told.err
        );
    }
}
