//! A copy that an earlier run has made stands for a chunk only where nobody can have written to it since.

use std::fs;
use std::path::PathBuf;

use libtest_mimic::Trial;

use crate::archive::{Test, files, prepared, run};
use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

/// What keeps the chunks from being dropped: they are copied, and the run ends before it has dropped them.
const VIEW: &str = "DO $$ BEGIN EXECUTE format('CREATE VIEW public.upon AS %s', (
                        SELECT string_agg(format('SELECT * FROM %s', c), ' UNION ALL ')
                          FROM show_chunks('public.readings', older_than => timestamptz '2021-01-01') AS c)); END $$";
const TAKEN: &str = "DROP VIEW public.upon";

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let tests: [(&str, Test); 5] = [
        ("a_copy_stands_for_its_chunk", stands),
        ("what_was_written_since_is_copied", written_since),
        ("a_copy_of_what_was_to_stay_is_not_enough", was_to_stay),
        ("what_a_run_could_not_end_takes_rows", takes_rows),
        ("what_a_run_has_left_frozen_is_told", left_frozen),
    ];
    prepared(tier, servers, "archive_unchanged", prepare, &tests)
}

/// Three old chunks, in a table one of whose columns has the name of an alias, and in a database whose own settings make
/// other text of some values.
fn prepare(db: &Db, place: &Workplace<'_>) {
    db.run(
        "CREATE TABLE public.readings (time timestamptz NOT NULL, c text, value numeric, raw bytea);
         SELECT create_hypertable('public.readings', by_range('time', INTERVAL '1 day'));
         INSERT INTO public.readings SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '1 hour', 'c', i, '\\x00ff'
           FROM generate_series(0, 71) AS i;
         DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET bytea_output = escape', current_database()); END $$;",
    );
    policy(place, true);
}

fn policy(place: &Workplace<'_>, drop: bool) {
    let store = place.path().join("store");
    place.write(
        "policy.yaml",
        &format!(
            "kind: archive_store\nname: cold\nlocation: {{path: {}}}\n---\nkind: table\nname: public.readings\n\
             archive: {{to: cold, after: 30 days, drop: {drop}}}\n",
            store.display()
        ),
    );
}

/// A run that has copied every chunk, and could not drop any.
fn copied(db: &Db, place: &Workplace<'_>) -> Vec<PathBuf> {
    db.run(VIEW);
    let ran = run(place).expect(4);
    assert!(ran.err.contains("depend"), "{}", ran.err);
    db.run(TAKEN);
    assert_eq!(count(db), "72");
    let manifests = files(place, ".json");
    assert!(!manifests.is_empty(), "{}", ran.err);
    manifests
}

fn count(db: &Db) -> String {
    db.lines("SELECT count(*) FROM public.readings").remove(0)
}

/// The next run goes on from the copies, whatever the settings that values are shown by.
fn stands(db: &Db, place: &Workplace<'_>) {
    let before = copied(db, place);
    let ran = run(place).expect(0);
    assert!(ran.err.contains("in the archive already"), "{}", ran.err);
    assert_eq!(count(db), "0");
    let all = files(place, ".json");
    assert!(before.iter().all(|manifest| all.contains(manifest)));
    assert_eq!(all.len(), 3, "none is copied twice");
    comes_back(db, place, "72", "2556");
}

/// Whoever thaws a chunk writes to it, and it is frozen again: it is copied again.
fn written_since(db: &Db, place: &Workplace<'_>) {
    copied(db, place);
    let thawed = |work: &str| {
        let around = |function: &str| {
            format!(
                "SELECT _timescaledb_functions.{function}(c) FROM show_chunks('public.readings', older_than => timestamptz '2020-01-02 00:00+00') AS c;"
            )
        };
        match db.tier().has_policies() {
            true => db.run(&format!("{}{work};{}", around("unfreeze_chunk"), around("freeze_chunk"))),
            false => db.run(work),
        }
    };
    thawed("UPDATE public.readings SET value = value + 1000 WHERE time < '2020-01-02 00:00+00'");
    run(place).expect(0);
    assert_eq!(count(db), "0");
    comes_back(db, place, "72", "26556");
}

/// A run that could not end its work keeps nobody from writing until the next one does.
fn takes_rows(db: &Db, place: &Workplace<'_>) {
    copied(db, place);
    db.run("INSERT INTO public.readings VALUES ('2020-01-01 12:30+00', 'late', 5000)");
    let planned = place.run(&["plan", "policy.yaml"]).expect(0);
    assert!(!planned.err.contains("left-frozen"), "{}", planned.err);
    run(place).expect(0);
    assert_eq!(count(db), "0");
    comes_back(db, place, "73", "7556");
}

/// One that was killed has thawed nothing: that is told, also where nothing is archived any more.
fn left_frozen(db: &Db, place: &Workplace<'_>) {
    if !db.tier().has_policies() {
        return;
    }
    db.run(
        "DO $$ DECLARE chunk regclass; BEGIN
             chunk := (SELECT c FROM show_chunks('public.readings') AS c ORDER BY 1 LIMIT 1);
             EXECUTE format('COMMENT ON TABLE %s IS %L', chunk, 'Chronoform: being archived, 1-2-3');
             PERFORM _timescaledb_functions.freeze_chunk(chunk); END $$",
    );
    let told = |command: &str, help: &str| {
        let ran = place.run(&[command, "policy.yaml"]);
        for told in ["left-frozen", "1 chunk of public.readings refuses writes", "unfreeze_chunk('", help] {
            assert!(ran.err.contains(told), "{told}\n{}", ran.err);
        }
    };
    told("plan", "`chronoform run archive` goes on with it");
    let archived = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
    for section in ["archive: {to: cold, after: 30000 days, drop: true}", "retention: {drop_after: 30 days}"] {
        let (before, _) = archived.split_once("archive: {").unwrap();
        place.write("policy.yaml", &format!("{before}{section}\n"));
        told("plan", "no run goes on with it");
        told("drift", "no run goes on with it");
    }
    place.write("policy.yaml", &archived);
    run(place).expect(0);
    assert!(!place.run(&["plan", "policy.yaml"]).expect(0).err.contains("left-frozen"));
    comes_back(db, place, "72", "2556");
}

/// What is written to a chunk that stays is not in its copy: before it is dropped, it is copied once more, also where the
/// run that made the copy did not come to its end.
fn was_to_stay(db: &Db, place: &Workplace<'_>) {
    policy(place, false);
    run(place).expect(0);
    let manifest = files(place, ".json").into_iter().find(|path| path.to_string_lossy().contains("2020-01-01"));
    let text = fs::read_to_string(manifest.expect("the first chunk's manifest")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (chunk, token) = (&manifest["manifest"]["chunk"], manifest["manifest"]["token"].as_str().unwrap());
    db.run(&format!(
        "COMMENT ON TABLE {}.{} IS 'Chronoform: being archived, {token}'",
        chunk["schema"].as_str().unwrap(),
        chunk["name"].as_str().unwrap()
    ));
    db.run("INSERT INTO public.readings VALUES ('2020-01-01 12:30+00', 'late', 5000)");
    policy(place, true);
    run(place).expect(0);
    assert_eq!(count(db), "0");
    comes_back(db, place, "73", "7556");
}

fn comes_back(db: &Db, place: &Workplace<'_>, rows: &str, sum: &str) {
    db.run("CREATE TABLE public.back (LIKE public.readings)");
    let back = [
        "archive",
        "restore",
        "public.readings",
        "--into",
        "public.back",
        "--policies",
        "policy.yaml",
        "--auto-approve",
    ];
    place.run(&back).expect(0);
    assert_eq!(db.lines("SELECT count(*) || ' ' || sum(value) FROM public.back"), [format!("{rows} {sum}")]);
}
