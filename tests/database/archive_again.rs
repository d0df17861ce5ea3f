//! What comes back into its table and is archived again counts once, whatever came in between: neither of the two copies
//! is forgotten where it has rows of its own, and none is believed that is not there.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use libtest_mimic::Trial;

use crate::archive::{Test, files, prepared, run};
use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let tests: [(&str, Test); 18] = [
        ("what_was_brought_back_and_corrected", corrected),
        ("beside_a_late_row", beside_a_late_row),
        ("in_pieces", in_pieces),
        ("a_part_of_a_copy", a_part),
        ("by_a_run_that_was_cut_off", cut_off),
        ("in_another_store", in_another_store),
        ("where_a_later_copy_is_out_of_sight", out_of_sight),
        ("where_the_copy_is_lost", lost),
        ("what_stands_in_for_a_copy_expires_with_it", expires),
        ("what_stands_in_for_a_copy_elsewhere_expires_after_it", expires_elsewhere),
        ("where_the_store_is_not_mounted", not_mounted),
        ("what_another_machine_has_removed_is_not_missed", removed_elsewhere),
        ("what_is_damaged_elsewhere_keeps_nobody", damaged_elsewhere),
        ("as_patient_as_asked_for", patient),
        ("into_a_chunk_that_is_there", into_what_is_there),
        ("beside_a_reader_of_a_referenced_table", referenced),
        ("into_nothing_but_tables", into_tables),
        ("what_is_archived_again_meanwhile", meanwhile),
    ];
    prepared(tier, servers, "archive_again", prepare, &tests)
}

/// Three days, long ago, of a row an hour.
pub fn prepare(db: &Db, place: &Workplace<'_>) {
    db.run(
        "CREATE TABLE public.readings (time timestamptz NOT NULL, value int, note text);
         SELECT create_hypertable('public.readings', by_range('time', INTERVAL '1 day'));
         INSERT INTO public.readings SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '1 hour', i, 'first'
           FROM generate_series(0, 71) AS i",
    );
    archived(place, "cold", true);
}

/// The policies: the table is archived to a store.
pub fn archived(place: &Workplace<'_>, to: &str, drop: bool) {
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

pub fn archive(place: &Workplace<'_>, more: &[&str]) -> Ran {
    place.run(&[&["archive"], more, &["--policies", "policy.yaml"]].concat())
}

/// Rows come back into their table, and can be written to there.
pub fn brought_back(db: &Db, place: &Workplace<'_>, more: &[&str]) {
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

pub fn count(db: &Db) -> String {
    db.lines("SELECT count(*) FROM public.readings").remove(0)
}

/// What the archive gives: rows, how many different times those have, and a sum. By `query` it is as many.
pub fn gives(db: &Db, place: &Workplace<'_>) -> String {
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
pub fn superseded(place: &Workplace<'_>) -> (usize, usize) {
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

/// Where the later copy is where nobody looks, the ledger knows of it still.
fn out_of_sight(db: &Db, place: &Workplace<'_>) {
    archived(place, "cold", false);
    run(place).expect(0);
    archived(place, "warm", true);
    db.run("UPDATE public.readings SET value = value + 1000");
    run(place).expect(0);
    let all = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
    let (cold, _) = all.split_once("---\n").unwrap();
    place.write("policy.yaml", cold);
    let restore = ["restore", "public.readings", "--auto-approve", "--into", "public.back"];
    let told = |ran: &Ran| {
        assert!(ran.err.contains("archive-doubtful") && ran.err.contains("store/warm"), "{}", ran.err);
    };
    told(&archive(place, &["list"]).expect(0));
    told(&archive(place, &["query", "public.readings"]).expect(0));
    told(&archive(place, &restore).expect(1));
    // Not mounted, and not asked for.
    place.write("policy.yaml", &all);
    fs::rename(place.path().join("store/warm"), place.path().join("aside")).unwrap();
    told(&archive(place, &["query", "public.readings", "--store", "cold"]).expect(0));
    db.run("CREATE TABLE public.back (LIKE public.readings)");
    told(&archive(place, &[&restore[..], &["--store", "cold"]].concat()).expect(0));
    fs::rename(place.path().join("aside"), place.path().join("store/warm")).unwrap();
    assert_eq!(gives(db, place), "72 72 74556");
    assert!(!archive(place, &["list"]).expect(0).err.contains("archive-doubtful"));
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

/// Also where the other is in another store, and where nobody can look at that one.
fn expires_elsewhere(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    brought_back(db, place, &[]);
    db.run("UPDATE public.readings SET value = value + 1000, note = 'corrected'; DELETE FROM public.readings WHERE value < 1010");
    archived(place, "warm", true);
    run(place).expect(0);
    let keeping = |cold: &str, warm: &str| {
        archived(place, "warm", true);
        let policy = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
        let policy = policy.replace("store/cold}", &format!("store/cold}}{cold}"));
        place.write("policy.yaml", &policy.replace("store/warm}", &format!("store/warm}}{warm}")));
    };
    let removing = || {
        place
            .run(&["run", "archive", "--policies", "policy.yaml", "--auto-approve", "--allow", "deletes_data"])
            .expect(0)
    };
    let there = || {
        ["cold/", "warm/"].map(|of| files(place, ".json").iter().filter(|p| p.to_string_lossy().contains(of)).count())
    };
    for cold in ["", "\nkeep: 90 years"] {
        keeping(cold, "\nkeep: 1 year");
        assert!(removing().out.contains("Nothing is due."));
        assert_eq!((there(), gives(db, place)), ([3, 3], "62 62 64511".to_owned()));
    }
    // Nobody can look where the ledger knows the others to be.
    let all = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
    place.write("policy.yaml", all.split_once("---\n").unwrap().1);
    let told = removing();
    assert!(told.err.contains("archive-held") && told.err.contains("store/cold"), "{}", told.err);
    assert_eq!(there(), [3, 3]);
    // What it stands in for goes first.
    keeping("\nkeep: 1 year", "\nkeep: 1 year");
    removing();
    assert_eq!(there(), [0, 3]);
    assert!(!removing().err.contains("archive-held"));
    assert_eq!(there(), [0, 0]);
}

/// What comes back stays, also where a row that came late has made the chunk.
fn into_what_is_there(db: &Db, place: &Workplace<'_>) {
    if !db.tier().has_policies() {
        return;
    }
    run(place).expect(0);
    db.run("INSERT INTO public.readings VALUES ('2020-01-02 22:30+00', 1000, 'late')");
    archive(place, &["restore", "public.readings", "--auto-approve", "--to", "2020-01-02 22:00+00"]).expect(0);
    assert!(run(place).expect(0).out.contains("Nothing is due."));
    assert_eq!(count(db), "47");
    // A chunk that rows of now go into is not frozen.
    db.run("SELECT set_chunk_time_interval('public.readings', INTERVAL '200 years')");
    db.run("INSERT INTO public.readings VALUES (now(), 3000, 'new')");
    let told = archive(place, &["restore", "public.readings", "--auto-approve", "--from", "2020-01-03"]).expect(0);
    assert!(told.err.contains("restored-unfrozen"), "{}", told.err);
    db.run("INSERT INTO public.readings VALUES (now(), 3001, 'new')");
}

/// Behind a view, and in a chunk, nothing would say that rows are in the archive.
fn into_tables(db: &Db, place: &Workplace<'_>) {
    run(place).expect(0);
    db.run("CREATE VIEW public.seen AS SELECT * FROM public.readings; INSERT INTO public.readings VALUES ('2030-01-02 22:30+00', 0, '')");
    let chunk = db.lines("SELECT show_chunks('public.readings')").remove(0);
    for into in ["public.seen", &chunk] {
        let refused = archive(place, &["restore", "public.readings", "--auto-approve", "--into", into]).expect(1);
        assert!(refused.err.contains("restore-failed") && refused.err.contains(into), "{}", refused.err);
    }
    assert_eq!(count(db), "1");
}

/// What is to come back is looked at again once nobody else is at work.
fn meanwhile(db: &Db, place: &Workplace<'_>) {
    if db.tier().single_session() {
        return;
    }
    run(place).expect(0);
    let before = files(place, "");
    brought_back(db, place, &["--from", "2020-01-02", "--to", "2020-01-03"]);
    db.run("UPDATE public.readings SET value = value + 1000");
    run(place).expect(0);
    let later: Vec<PathBuf> = files(place, "").into_iter().filter(|file| !before.contains(file)).collect();
    fs::remove_dir_all(place.path().join(".chronoform")).unwrap();
    let aside = |file: &PathBuf| place.path().join(file.file_name().unwrap());
    later.iter().for_each(|file| fs::rename(file, aside(file)).unwrap());
    let mut other = db.connect();
    let lock = |call: &str| format!("SELECT {call}(x'6368726f6e6f666d'::bit(64)::bigint)");
    other.batch_execute(&lock("pg_advisory_lock")).unwrap();
    db.run("CREATE TABLE public.back (LIKE public.readings)");
    let mut restore = place.start(&[
        "archive",
        "restore",
        "public.readings",
        "--auto-approve",
        "--into",
        "public.back",
        "--policies",
        "policy.yaml",
    ]);
    let mut said = BufReader::new(restore.stderr.take().unwrap()).lines().map(Result::unwrap);
    said.find(|line| line.contains("waiting for the database's lock")).expect("it waits");
    later.iter().for_each(|file| fs::rename(aside(file), file).unwrap());
    other.batch_execute(&lock("pg_advisory_unlock")).unwrap();
    let rest = Vec::from_iter(said).join("\n");
    assert_eq!(restore.wait().unwrap().code(), Some(1), "{rest}");
    assert!(rest.contains("restore-failed") && rest.contains("do the same again"), "{rest}");
    assert_eq!(db.lines("SELECT count(*) FROM public.back"), ["0"]);
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
    let counted = archive(place, &["query", "public.readings"]).expect(2);
    assert!(counted.out.contains("72 rows") && counted.err.contains("notes.json"), "{}", counted.err);
}

/// A table that a foreign key leads to is locked by the drop, and is waited for like any other.
fn referenced(db: &Db, place: &Workplace<'_>) {
    if db.tier().single_session() {
        return;
    }
    db.run(
        "CREATE TABLE public.places (id int PRIMARY KEY);
         INSERT INTO public.places SELECT generate_series(0, 71);
         ALTER TABLE public.readings ADD FOREIGN KEY (value) REFERENCES public.places",
    );
    let mut other = db.connect();
    other.batch_execute("BEGIN; SELECT count(*) FROM public.places").unwrap();
    let mut running =
        place.start(&["run", "archive", "--policies", "policy.yaml", "--auto-approve", "--patience", "90"]);
    let mut said = BufReader::new(running.stderr.take().unwrap()).lines().map(Result::unwrap);
    said.find(|line| line.contains("waits for a lock")).expect("it waits");
    other.batch_execute("COMMIT").unwrap();
    let rest = Vec::from_iter(said).join("\n");
    assert!(running.wait().unwrap().success(), "{rest}");
    assert_eq!(count(db), "0");
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
