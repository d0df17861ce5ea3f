//! What comes back into its table and is archived again counts once, whatever came in between: neither of the two copies
//! is forgotten where it has rows of its own, and none is believed that is not there.

use std::fs;

use libtest_mimic::{Failed, Trial};

use crate::archive::{files, run};
use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !tier.is_timescale() {
        return Vec::new();
    }
    let trial = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::archive_again::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            prepare(&db, &place);
            run(&db, &place);
            Ok(())
        })
    };
    vec![
        trial("what_was_brought_back_and_corrected", corrected),
        trial("beside_a_late_row", beside_a_late_row),
        trial("in_pieces", in_pieces),
        trial("a_part_of_a_copy", a_part),
        trial("by_a_run_that_was_cut_off", cut_off),
        trial("in_another_store", in_another_store),
        trial("where_the_copy_is_lost", lost),
        trial("what_stands_in_for_a_copy_expires_with_it", expires),
        trial("where_the_store_is_not_mounted", not_mounted),
        trial("what_another_machine_has_removed_is_not_missed", removed_elsewhere),
        trial("what_is_damaged_elsewhere_keeps_nobody", damaged_elsewhere),
        trial("as_patient_as_asked_for", patient),
    ]
}

/// Three days, long ago, of a row an hour.
fn prepare(db: &Db, place: &Workplace<'_>) {
    db.run(
        "CREATE TABLE public.readings (time timestamptz NOT NULL, value int, note text);
         SELECT create_hypertable('public.readings', by_range('time', INTERVAL '1 day'));
         INSERT INTO public.readings SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '1 hour', i, 'first'
           FROM generate_series(0, 71) AS i",
    );
    archived(place, "cold", true);
}

/// The policies: the table is archived to a store.
fn archived(place: &Workplace<'_>, to: &str, drop: bool) {
    let section =
        format!("---\nkind: table\nname: public.readings\narchive: {{to: {to}, after: 30 days, drop: {drop}}}\n");
    place.write("policy.yaml", &format!("{}{section}", stores(place)));
}

/// The policies: nothing is archived by now.
fn not_archived(place: &Workplace<'_>) {
    place.write("policy.yaml", &stores(place));
}

fn stores(place: &Workplace<'_>) -> String {
    let store = |name: &str| {
        let path = place.path().join("store").join(name);
        format!("kind: archive_store\nname: {name}\nlocation: {{path: {}}}\n", path.display())
    };
    format!("{}---\n{}", store("cold"), store("warm"))
}

fn archive(place: &Workplace<'_>, more: &[&str]) -> Ran {
    place.run(&[&["archive"], more, &["--policies", "policy.yaml"]].concat())
}

/// Rows come back into their table, and can be written to there.
fn brought_back(db: &Db, place: &Workplace<'_>, more: &[&str]) {
    if !db.tier().has_policies() {
        not_archived(place);
    }
    archive(place, &[&["restore", "public.readings", "--auto-approve"], more].concat()).expect(0);
    if db.tier().has_policies() {
        let is_frozen = "_timescaledb_functions.chunk_status(c) & 4 <> 0";
        db.run(&format!(
            "SELECT _timescaledb_functions.unfreeze_chunk(c) FROM show_chunks('public.readings') AS c WHERE {is_frozen}"
        ));
    }
    archived(place, "cold", true);
}

fn count(db: &Db) -> String {
    db.lines("SELECT count(*) FROM public.readings").remove(0)
}

/// What the archive gives: rows, how many different times those have, and a sum. By `query` it is as many.
fn gives(db: &Db, place: &Workplace<'_>) -> String {
    db.run("DROP TABLE IF EXISTS public.back; CREATE TABLE public.back (LIKE public.readings)");
    archive(place, &["restore", "public.readings", "--auto-approve", "--into", "public.back"]).expect(0);
    let given = db.lines("SELECT count(*) || ' ' || count(DISTINCT time) || ' ' || sum(value) FROM public.back");
    let shown = archive(place, &["query", "public.readings", "--format", "json"]).expect(0).out;
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    let rows: u64 = shown.as_array().unwrap().iter().map(|file| file["of"]["rows"].as_u64().unwrap()).sum();
    assert!(given[0].starts_with(&format!("{rows} ")), "{rows}: {given:?}");
    given[0].clone()
}

/// So many of the files in the archive count no more; of so many others a part.
fn superseded(place: &Workplace<'_>) -> (usize, usize) {
    let listed = archive(place, &["list", "--format", "json"]).expect(0).out;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let all = listed.as_array().unwrap();
    let whole = all.iter().filter(|line| line["superseded"] == true).count();
    let part = |line: &&serde_json::Value| line["superseded"] == false && line.get("superseded_parts").is_some();
    (whole, all.iter().filter(part).count())
}

fn corrected(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    for (round, sum) in [(1, "3556"), (2, "4556")] {
        brought_back(db, place, &["--from", "2020-01-02", "--to", "2020-01-03"]);
        db.run("UPDATE public.readings SET value = value + 1000 WHERE time = '2020-01-02 05:00+00'");
        run(place).expect(0);
        assert_eq!(count(db), "0");
        assert_eq!(gives(db, place), format!("72 72 {sum}"));
        assert_eq!(superseded(place), (round, 0));
    }
    archive(place, &["verify"]).expect(0);
    // Into the table itself, it comes back as it was last.
    brought_back(db, place, &[]);
    assert_eq!(db.lines("SELECT count(*) || ' ' || sum(value) FROM public.readings"), ["72 4556"]);
}

/// A chunk that a late row has made takes rows that come back as well.
fn beside_a_late_row(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    db.run("INSERT INTO public.readings VALUES ('2020-01-02 22:30+00', 1000, 'late')");
    run(place).expect(0);
    assert_eq!((gives(db, place), superseded(place)), ("73 73 3556".to_owned(), (0, 0)), "both are of that day");
    db.run("INSERT INTO public.readings VALUES ('2020-01-02 23:30+00', 2000, 'late')");
    brought_back(db, place, &["--from", "2020-01-02", "--to", "2020-01-02 22:00+00"]);
    assert_eq!(count(db), "23");
    run(place).expect(0);
    assert_eq!(count(db), "0");
    assert_eq!((gives(db, place), superseded(place)), ("74 74 5556".to_owned(), (0, 2)));
}

/// What an earlier restore has frozen, another one fills.
fn in_pieces(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    if db.tier().has_policies() {
        let piece = |more: &[&str]| {
            archive(place, &[&["restore", "public.readings", "--auto-approve"], more].concat()).expect(0);
            let is_frozen = "bool_and(_timescaledb_functions.chunk_status(c) & 4 <> 0)";
            assert_eq!(db.lines(&format!("SELECT {is_frozen} FROM show_chunks('public.readings') AS c")), ["t"]);
        };
        piece(&["--from", "2020-01-02", "--to", "2020-01-02 12:00+00"]);
        piece(&["--from", "2020-01-02 12:00+00", "--to", "2020-01-02 13:00+00"]);
        assert_eq!(count(db), "13");
        // What somebody else has frozen is not thawed.
        db.run("DO $$ BEGIN EXECUTE format('COMMENT ON TABLE %s IS NULL', (SELECT show_chunks('public.readings'))); END $$");
        let rest =
            ["restore", "public.readings", "--auto-approve", "--from", "2020-01-02 13:00+00", "--to", "2020-01-03"];
        let refused = archive(place, &rest).expect(1);
        assert!(refused.err.contains("is frozen, and by no restore"), "{}", refused.err);
        db.run("SELECT drop_chunks('public.readings', older_than => timestamptz '2021-01-01')");
        if count(db) != "0" {
            db.run("SELECT _timescaledb_functions.unfreeze_chunk(c) FROM show_chunks('public.readings') AS c");
            db.run("SELECT drop_chunks('public.readings', older_than => timestamptz '2021-01-01')");
        }
    }
    for (from, to) in [("2020-01-02", "2020-01-02 12:00+00"), ("2020-01-02 12:00+00", "2020-01-03")] {
        brought_back(db, place, &["--from", from, "--to", to]);
    }
    run(place).expect(0);
    assert_eq!((gives(db, place), superseded(place)), ("72 72 2556".to_owned(), (1, 0)), "both pieces are all of it");
}

/// What was not brought back of a copy counts as before.
fn a_part(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    brought_back(db, place, &["--from", "2020-01-01 20:00+00", "--to", "2020-01-03 10:00+00"]);
    assert_eq!(count(db), "38");
    db.run("UPDATE public.readings SET value = value + 1000 WHERE time = '2020-01-01 21:00+00'");
    db.run("DELETE FROM public.readings WHERE time = '2020-01-03 09:00+00'");
    run(place).expect(0);
    assert_eq!(count(db), "0");
    assert_eq!((gives(db, place), superseded(place)), ("71 71 3499".to_owned(), (1, 2)));
    // And what was left out is left out of another restore, too.
    brought_back(db, place, &["--from", "2020-01-01 19:00+00", "--to", "2020-01-01 22:00+00"]);
    assert_eq!(db.lines("SELECT count(*) || ' ' || sum(value) FROM public.readings"), ["3 1060"]);
    run(place).expect(0);
    assert_eq!(gives(db, place), "71 71 3499");
}

/// A run that ends between any two steps forgets nothing of what the next copy stands in for.
fn cut_off(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    brought_back(db, place, &[]);
    db.run(
        "DO $$ BEGIN EXECUTE format('CREATE VIEW public.upon AS %s', (
             SELECT string_agg(format('SELECT * FROM %s', c), ' UNION ALL ') FROM show_chunks('public.readings') AS c)); END $$",
    );
    // They are copied, and cannot be dropped; then they are written to.
    for _ in 0..2 {
        run(place).expect(4);
    }
    db.run("DROP VIEW public.upon");
    let update = "UPDATE public.readings SET value = value + 1000 WHERE time = '2020-01-01 05:00+00'";
    match db.tier().has_policies() {
        true => db.run(&format!(
            "SELECT _timescaledb_functions.unfreeze_chunk(c) FROM show_chunks('public.readings') AS c; {update}"
        )),
        false => db.run(update),
    }
    // Meanwhile another store is the one to archive to.
    archived(place, "warm", true);
    run(place).expect(0);
    assert_eq!(count(db), "0");
    assert_eq!(gives(db, place), "72 72 3556");
    archive(place, &["verify"]).expect(0);
}

fn in_another_store(db: &Db, place: &Workplace<'_>) {
    archived(place, "cold", false);
    run(place).expect(0);
    assert!(run(place).expect(0).out.contains("Nothing is due."));
    archived(place, "warm", false);
    let planned = place.run(&["plan", "policy.yaml"]).expect(0);
    assert!(planned.out.contains("all but 3 chunks"), "{}", planned.out);
    run(place).expect(0);
    assert!(run(place).expect(0).out.contains("Nothing is due."));
    assert_eq!((gives(db, place), superseded(place)), ("72 72 2556".to_owned(), (3, 0)));
    // Where only one store is asked for, what counts in the other counts all the same.
    let of_one = archive(place, &["query", "public.readings", "--store", "cold"]).expect(0);
    assert!(of_one.out.contains("Nothing of it is archived"), "{}", of_one.out);
    archived(place, "cold", true);
    db.run("UPDATE public.readings SET value = value + 1000 WHERE time = '2020-01-01 05:00+00'");
    run(place).expect(0);
    assert_eq!((count(db), gives(db, place)), ("0".to_owned(), "72 72 3556".to_owned()));
}

/// A mark is believed only where the copy is that it is of.
fn lost(db: &Db, place: &Workplace<'_>) {
    archived(place, "cold", false);
    run(place).expect(0);
    let folder = place.path().join("store/cold");
    fs::rename(&folder, place.path().join("aside")).unwrap();
    // All that the ledger knows to be there is gone: perhaps it is only not mounted.
    assert!(run(place).expect(1).err.contains("archive-lost"));
    fs::remove_dir_all(place.path().join(".chronoform")).unwrap();
    run(place).expect(0);
    assert_eq!(files(place, ".json").len(), 3);
    fs::remove_dir_all(&folder).unwrap();
    fs::rename(place.path().join("aside"), &folder).unwrap();
    assert_eq!(gives(db, place), "72 72 2556");
    // One that an earlier version has made, whose mark does not name the copy.
    db.run(
        "DO $$ DECLARE chunk regclass; BEGIN
             FOR chunk IN SELECT show_chunks('public.readings') LOOP
                 EXECUTE format('COMMENT ON TABLE %s IS %L', chunk, 'Chronoform: archived to cold');
             END LOOP; END $$",
    );
    assert!(run(place).expect(0).out.contains("Nothing is due."));
    fs::remove_file(&files(place, ".json")[0]).unwrap();
    run(place).expect(0);
    assert_eq!((files(place, ".json").len(), gives(db, place)), (3, "72 72 2556".to_owned()));
}

/// What stands in for a copy that is kept still is kept with it.
fn expires(db: &Db, place: &Workplace<'_>) {
    db.run(
        "CREATE TABLE public.weekly (time timestamptz NOT NULL, value int);
         SELECT create_hypertable('public.weekly', by_range('time', INTERVAL '7 days'));
         INSERT INTO public.weekly SELECT now() - INTERVAL '100 days' + i * INTERVAL '1 day', i FROM generate_series(0, 9) AS i",
    );
    let policy = |keep: &str| {
        let path = place.path().join("store/cold");
        place.write(
            "policy.yaml",
            &format!(
                "kind: archive_store\nname: cold\nlocation: {{path: {}}}\nkeep: {keep}\n---\nkind: table\nname: public.weekly\n\
                 archive: {{to: cold, after: 30 days, drop: true}}\n",
                path.display()
            ),
        );
    };
    policy("10 years");
    run(place).expect(0);
    if !db.tier().has_policies() {
        let text = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
        place.write("policy.yaml", text.split_once("archive: {").unwrap().0);
    }
    // The chunks that take the rows are shorter, and the first of them end before what they stand in for.
    db.run("SELECT set_chunk_time_interval('public.weekly', INTERVAL '1 day')");
    archive(place, &["restore", "public.weekly", "--auto-approve"]).expect(0);
    if db.tier().has_policies() {
        db.run("SELECT _timescaledb_functions.unfreeze_chunk(c) FROM show_chunks('public.weekly') AS c");
    }
    policy("10 years");
    run(place).expect(0);
    let copies = files(place, ".json").len();
    assert!(copies > 10, "{copies}");
    policy("96 days");
    place.run(&["run", "archive", "--policies", "policy.yaml", "--auto-approve", "--allow", "deletes_data"]).expect(0);
    db.run("CREATE TABLE public.back (LIKE public.weekly)");
    archive(place, &["restore", "public.weekly", "--auto-approve", "--into", "public.back"]).expect(0);
    let counted =
        db.lines("SELECT count(*) || ' ' || count(DISTINCT value) || ' ' || max(value) FROM public.back").remove(0);
    let [rows, distinct, most] = counted.split(' ').collect::<Vec<_>>()[..] else { panic!("{counted}") };
    assert!(rows == distinct && most == "9", "{counted}");
}

/// Nothing more is put where what was put there is not, and nothing is dropped.
fn not_mounted(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    db.run("INSERT INTO public.readings VALUES ('2020-01-05 05:00+00', 5, 'another day')");
    let (store, aside) = (place.path().join("store/cold"), place.path().join("aside"));
    fs::rename(&store, &aside).unwrap();
    let refused = run(place).expect(1);
    for told in ["archive-lost", "public.readings from 2020-01-01 00:00:00+00", "location"] {
        assert!(refused.err.contains(told), "{told}\n{}", refused.err);
    }
    assert!(!store.exists());
    assert_eq!(count(db), "1");
    // Also where only a part is there.
    fs::rename(&aside, &store).unwrap();
    let manifest = files(place, ".json").remove(0);
    fs::rename(&manifest, &aside).unwrap();
    assert!(run(place).expect(1).err.contains("archive-lost"));
    fs::rename(&aside, &manifest).unwrap();
    run(place).expect(0);
    assert_eq!((count(db), gives(db, place)), ("0".to_owned(), "73 73 2561".to_owned()));
}

fn removed_elsewhere(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    for file in files(place, "").iter().filter(|path| path.to_string_lossy().contains("2020-01-01T00")) {
        fs::remove_file(file).unwrap();
    }
    archive(place, &["list"]).expect(2);
    let policy = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
    place.write("policy.yaml", &policy.replace("store/cold}", "store/cold}\nkeep: 2 years"));
    archive(place, &["list"]).expect(0);
    db.run("INSERT INTO public.readings VALUES ('2020-01-05 05:00+00', 5, 'another day')");
    run(place).expect(0);
    assert_eq!(gives(db, place), "49 49 2285");
}

/// Of another table, and of the same table of another database.
fn damaged_elsewhere(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    for folder in ["other/public.x", "other/public.readings"] {
        let folder = place.path().join("store/cold").join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("notes.json"), "{}").unwrap();
    }
    assert_eq!(gives(db, place), "72 72 2556");
    archive(place, &["verify"]).expect(2);
    let own = files(place, ".json").remove(0).with_file_name("notes.json");
    fs::write(own, "{}").unwrap();
    let refused = archive(place, &["restore", "public.readings", "--auto-approve", "--into", "public.back"]).expect(1);
    assert!(refused.err.contains("file-unreadable"), "{}", refused.err);
}

fn patient(db: &Db, place: &Workplace<'_>) {
    if db.tier().single_session() {
        return;
    }
    let mut other = db.connect();
    let chunk = db.lines("SELECT show_chunks('public.readings') LIMIT 1").remove(0);
    other.batch_execute(&format!("BEGIN; LOCK TABLE {chunk} IN SHARE UPDATE EXCLUSIVE MODE")).unwrap();
    let ran =
        place.run(&["run", "archive", "--policies", "policy.yaml", "--auto-approve", "--patience", "0"]).expect(4);
    assert!(!ran.err.contains("waits for a lock") && ran.err.contains("--patience"), "{}", ran.err);
    other.batch_execute("ROLLBACK").unwrap();
    run(place).expect(0);
    assert_eq!(count(db), "0");
}
