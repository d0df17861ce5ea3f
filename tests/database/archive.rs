//! `run archive` and `archive`: what is old goes into files and, once that is proved, out of its table;
//! and nothing is ever in neither.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use libtest_mimic::{Failed, Trial};

use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

/// How many old chunks there are.
pub const CHUNKS: usize = 6;

/// The tests of a tier that has hypertables.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    if !tier.is_timescale() {
        return Vec::new();
    }
    let trial = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::archive::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            run(&db, &place);
            Ok(())
        })
    };
    let mut trials = vec![
        trial("what_is_old_is_archived_and_dropped", archived_and_dropped),
        trial("what_is_kept_is_archived_once", kept),
        trial("killed_anywhere", killed_anywhere),
        trial("damage_is_found", damage),
        trial("rows_come_back", comes_back),
        trial("what_cannot_be_kept_is_refused", refused),
        trial("what_has_expired_goes_once_that_is_allowed", expired),
    ];
    if tier.has_policies() {
        trials.push(trial("what_an_aggregate_has_made_is_not_dropped", of_an_aggregate));
    }
    if !tier.single_session() {
        trials.push(trial("a_writer_meanwhile", written_meanwhile));
    }
    trials
}

/// What a test does in a database, and in a place that is made for it.
pub type Test = fn(&Db, &Workplace<'_>);

/// Tests of a tier that has hypertables, each after the same preparation.
pub fn prepared(
    tier: Tier,
    servers: &Servers,
    file: &'static str,
    prepare: Test,
    tests: &[(&'static str, Test)],
) -> Vec<Trial> {
    let tests = if tier.is_timescale() { tests } else { &[] };
    let trial = |(name, run): &(&'static str, Test)| {
        let (servers, run) = (servers.clone(), *run);
        Trial::test(format!("{tier}::{file}::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            prepare(&db, &place);
            run(&db, &place);
            Ok(())
        })
    };
    tests.iter().map(trial).collect()
}

/// Six chunks of one day each, long ago, and one of today. Where the server can, some are in the
/// columnstore: one whole, and one with rows beside it.
pub fn prepare(db: &Db, place: &Workplace<'_>, drop: bool) {
    db.run(
        "CREATE TABLE public.trades (time timestamptz NOT NULL, symbol text, gone int, price float8, note jsonb);
         SELECT create_hypertable('public.trades', by_range('time', INTERVAL '1 day'));
         INSERT INTO public.trades SELECT timestamptz '2020-01-01 00:00+00' + i * INTERVAL '1 hour', 'S' || i % 3, i,
                CASE WHEN i % 7 = 0 THEN NULL WHEN i % 11 = 0 THEN 'NaN'::float8 ELSE i END, jsonb_build_object('i', i)
           FROM generate_series(0, 6 * 24 - 1) AS i;
         ALTER TABLE public.trades DROP COLUMN gone;
         ALTER TABLE public.trades ADD COLUMN late numeric DEFAULT 1.50;
         INSERT INTO public.trades SELECT now(), 'new', 1, NULL, 2.25;",
    );
    if db.tier().has_policies() {
        db.run(
            "ALTER TABLE public.trades SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol');
             SELECT compress_chunk(c) FROM show_chunks('public.trades', older_than => timestamptz '2020-01-03 00:00+00') AS c;
             INSERT INTO public.trades VALUES ('2020-01-02 00:30+00', 'late', 7, NULL, 3);",
        );
    }
    db.run("CREATE TABLE public.before AS SELECT * FROM public.trades");
    let store = place.path().join("store");
    place.write(
        "policy.yaml",
        &format!(
            "kind: archive_store\nname: cold\nlocation: {{path: {}}}\n---\nkind: table\nname: public.trades\n\
             archive: {{to: cold, after: 30 days, drop: {drop}}}\n",
            store.display()
        ),
    );
}

/// Nothing was ever archived: neither the store nor the ledger, which would miss it there, has any of it.
pub fn forget(place: &Workplace<'_>) {
    for folder in ["store", ".chronoform"] {
        let _ = fs::remove_dir_all(place.path().join(folder));
    }
}

pub fn run(place: &Workplace<'_>) -> Ran {
    place.run(&["run", "archive", "--policies", "policy.yaml", "--auto-approve"])
}

/// The policy no longer archives the table.
pub fn unarchived(place: &Workplace<'_>) {
    let policy = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
    let (before, _) = policy.split_once("archive: {").unwrap();
    place.write("policy.yaml", before);
}

/// Old rows that are in the table still.
pub fn left(db: &Db) -> usize {
    db.lines("SELECT count(*) FROM public.trades WHERE time < now() - INTERVAL '30 days'").remove(0).parse().unwrap()
}

/// All rows of a table.
pub fn left_of(db: &Db, table: &str) -> u64 {
    db.lines(&format!("SELECT count(*) FROM {table}")).remove(0).parse().unwrap()
}

pub fn files(place: &Workplace<'_>, ending: &str) -> Vec<PathBuf> {
    below(place.path().join("store"), ending)
}

/// The files below a folder whose names end with something, in the order of their paths.
pub fn below(folder: PathBuf, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// What is in the table together with what the archive gives back is what there was, row for row.
pub fn nothing_is_lost(db: &Db, place: &Workplace<'_>) {
    db.run("DROP TABLE IF EXISTS public.back; CREATE TABLE public.back (LIKE public.trades)");
    if !files(place, ".json").is_empty() {
        let back = ["archive", "restore", "public.trades", "--into", "public.back", "--policies", "policy.yaml"];
        place.run(&[&back[..], &["--auto-approve"]].concat()).expect(0);
    }
    let lost = "SELECT count(*) FROM (SELECT t::text FROM public.before AS t EXCEPT SELECT b::text FROM \
                (SELECT * FROM public.trades UNION ALL SELECT * FROM public.back) AS b) AS lost";
    assert_eq!(db.lines(lost), ["0"], "rows are in neither");
}

/// What came back is exactly what there was of it: no row twice, none changed.
pub fn is_exact(db: &Db) {
    let differing = "SELECT count(*) FROM ((SELECT t::text FROM public.before AS t WHERE time < now() - INTERVAL '30 days' \
                     EXCEPT ALL SELECT b::text FROM public.back AS b) \
                     UNION ALL (SELECT b::text FROM public.back AS b EXCEPT ALL SELECT t::text FROM public.before AS t)) AS d";
    assert_eq!(db.lines(differing), ["0"]);
}

fn archived_and_dropped(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    let planned = place.run(&["plan", "policy.yaml"]).expect(0);
    for told in ["archive of public.trades", "all but 6 chunks"] {
        assert!(planned.out.contains(told), "{told}\n{}", planned.out);
    }
    let drift = place.run(&["drift", "policy.yaml"]).expect(2);
    assert!(drift.out.contains("all but 6 chunks"), "{}", drift.out);
    let dry = place.run(&["run", "archive", "--dry-run", "--policies", "policy.yaml", "-v"]).expect(0);
    for told in ["archives and then drops 6 chunks", "COPY (SELECT", "drop_chunks("] {
        assert!(dry.out.contains(told), "{told}\n{}", dry.out);
    }
    assert!(files(place, "").is_empty(), "a dry run writes nothing");

    run(place).expect(0);
    assert_eq!(left(db), 0);
    assert_eq!(db.lines("SELECT count(*) FROM public.trades"), ["1"], "what is new stays");
    assert_eq!((files(place, ".parquet").len(), files(place, ".json").len()), (CHUNKS, CHUNKS));
    assert!(files(place, ".partial").is_empty());
    assert!(run(place).expect(0).out.contains("Nothing is due."));
    place.run(&["drift", "policy.yaml"]).expect(0);
    let listed = place.run(&["archive", "list", "--policies", "policy.yaml"]).expect(0);
    assert_eq!(listed.out.matches("public.trades").count(), CHUNKS, "{}", listed.out);
    place.run(&["archive", "verify", "--policies", "policy.yaml"]).expect(0);
    place.run(&["ledger", "verify"]).expect(0);
    nothing_is_lost(db, place);
    is_exact(db);
}

fn kept(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, false);
    let before = left(db);
    run(place).expect(0);
    assert_eq!(left(db), before);
    assert_eq!(files(place, ".json").len(), CHUNKS);
    assert!(run(place).expect(0).out.contains("Nothing is due."));
    place.run(&["drift", "policy.yaml"]).expect(0);
    // Rows can still be written.
    for table in ["trades", "before"] {
        db.run(&format!("INSERT INTO public.{table} VALUES ('2020-01-05 00:30+00', 'late', 7, NULL, 3)"));
    }
    assert!(run(place).expect(0).out.contains("Nothing is due."));

    // Once chunks are to be dropped, all that they hold by now has to be there.
    let policy = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
    place.write("policy.yaml", &policy.replace("drop: false", "drop: true"));
    let dry = place.run(&["run", "archive", "--dry-run", "--policies", "policy.yaml"]).expect(0);
    let said = dry.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("6 chunks that are in the archive already are copied again"), "{}", dry.out);
    run(place).expect(0);
    assert_eq!(left(db), 0);
    assert!(files(place, ".json").len() > CHUNKS, "the one that changed has another file");
    nothing_is_lost(db, place);
    is_exact(db);
    assert!(run(place).expect(0).out.contains("Nothing is due."));
}

/// A run that is killed after so many lines of what it says: nothing is lost, and its ledger can be read.
pub fn killed_after(lines: usize, arguments: &[&str], db: &Db, place: &Workplace<'_>) {
    let mut child = place.start(arguments);
    let said = BufReader::new(child.stderr.take().unwrap()).lines();
    for (number, line) in said.map_while(Result::ok).enumerate() {
        assert!(!line.contains("panicked"), "{line}");
        if number + 1 >= lines {
            break;
        }
    }
    // It may have ended by itself already.
    let _ = child.kill();
    child.wait().unwrap();
    nothing_is_lost(db, place);
    place.run(&["ledger", "verify"]).expect(0);
}

/// Killed after each word that a run says, until all is done.
fn killed_anywhere(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    for lines in 1..14 {
        let arguments = ["run", "archive", "--policies", "policy.yaml", "--auto-approve"];
        killed_after(lines, &arguments, db, place);
    }
    run(place).expect(0);
    assert_eq!(left(db), 0);
    nothing_is_lost(db, place);
    is_exact(db);
    assert!(files(place, ".partial").is_empty());
}

fn damage(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    run(place).expect(0);
    let verify = || place.run(&["archive", "verify", "--policies", "policy.yaml"]);
    verify().expect(0);
    for (number, file) in files(place, ".parquet").iter().enumerate().take(3) {
        let whole = fs::read(file).unwrap();
        let mut other = whole.clone();
        match number {
            0 => other[whole.len() / 2] ^= 1,
            1 => other.truncate(whole.len() - 1),
            _ => other.clear(),
        }
        fs::write(file, &other).unwrap();
        let found = verify().expect(2);
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        assert!(found.out.contains(&name), "{}\n{}", found.out, found.err);
        fs::write(file, &whole).unwrap();
    }
    let manifest = &files(place, ".json")[0];
    let whole = fs::read_to_string(manifest).unwrap();
    fs::write(manifest, whole.replace("\"rows\": 24", "\"rows\": 25").replace("\"rows\":24", "\"rows\":25")).unwrap();
    assert_ne!(fs::read_to_string(manifest).unwrap(), whole);
    verify().expect(2);
    fs::write(manifest, whole).unwrap();
    fs::remove_file(&files(place, ".parquet")[0]).unwrap();
    verify().expect(2);
}

fn comes_back(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    run(place).expect(0);
    let query = ["archive", "query", "public.trades", "--from", "2020-01-02", "--to", "2020-01-03"];
    let shown = place.run(&[&query[..], &["--policies", "policy.yaml"]].concat()).expect(0);
    assert!(shown.out.contains("2020-01-02") && shown.out.contains("S0"), "{}", shown.out);
    let part = ["archive", "restore", "public.trades", "--from", "2020-01-02", "--to", "2020-01-03 12:00+00"];
    if !db.tier().has_policies() {
        // Nothing can be frozen: the next run would archive it a second time, and drop it.
        let refused = place.run(&[&part[..], &["--policies", "policy.yaml", "--auto-approve"]].concat()).expect(1);
        assert!(refused.err.contains("restore-failed") && refused.err.contains("--into"), "{}", refused.err);
        assert_eq!(left(db), 0);
        unarchived(place);
    }
    place.run(&[&part[..], &["--policies", "policy.yaml", "--auto-approve"]].concat()).expect(0);
    let of = |table: &str| {
        db.lines(&format!(
            "SELECT t::text FROM public.{table} AS t WHERE time >= '2020-01-02 00:00+00' AND time < '2020-01-03 12:00+00' ORDER BY 1"
        ))
    };
    assert_eq!(of("trades"), of("before"));
    assert_eq!(left(db), of("before").len());
    // The ledger has it: who, when, and how many rows; and that the next one did not do it again.
    let log = place.run(&["ledger", "log", "--format", "json"]).expect(0).out;
    let runs: serde_json::Value = serde_json::from_str(&log).unwrap();
    let all = runs["runs"].as_array().unwrap_or_else(|| panic!("{log}")).iter();
    let restores: Vec<_> = all.filter(|run| run["command"] == "archive restore public.trades").collect();
    assert!(restores.len() == 1 && restores[0]["outcome"] == "done", "{log}");
    assert_eq!(restores[0]["summary"]["rows"], of("before").len(), "{log}");
    // Not twice.
    let again = place.run(&[&part[..], &["--policies", "policy.yaml", "--auto-approve"]].concat()).expect(1);
    assert!(again.err.contains("twice"), "{}", again.err);
    assert_eq!(of("trades"), of("before"));
    // What was brought back is somebody's to look at: it is not taken away again.
    assert!(run(place).expect(0).out.contains("Nothing is due."));
    assert_eq!(of("trades"), of("before"));
}

fn expired(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    run(place).expect(0);
    let policy = fs::read_to_string(place.path().join("policy.yaml")).unwrap();
    let keeps = |keep: &str| place.write("policy.yaml", &policy.replace("\n---", &format!("\nkeep: {keep}\n---")));
    let allowed = ["run", "archive", "--policies", "policy.yaml", "--auto-approve", "--allow", "deletes_data"];
    keeps("30 days");
    assert!(
        place.run(&["validate", "policy.yaml"]).expect(1).err.contains("policy-conflict"),
        "kept for no time at all"
    );
    keeps("300 years");
    assert!(place.run(&allowed).expect(0).out.contains("Nothing is due."));

    keeps("2 years");
    let told = run(place).expect(0);
    assert!(told.err.contains("archive-expired") && told.err.contains("6 archived chunks"), "{}", told.err);
    assert_eq!(files(place, ".json").len(), CHUNKS, "without a word nothing goes");
    assert!(
        !place.run(&["plan", "policy.yaml"]).expect(0).err.contains("archive-expired"),
        "a plan looks into no store"
    );

    // A removal that ended half-way, a manifest that cannot be trusted, and what another database keeps there.
    let manifests = files(place, ".json");
    fs::remove_file(&files(place, ".parquet")[0]).unwrap();
    fs::write(&manifests[1], "{}").unwrap();
    let other = place.path().join("store/7-other/public.trades");
    fs::create_dir_all(&other).unwrap();
    for file in [&manifests[2], &files(place, ".parquet")[1]] {
        fs::copy(file, other.join(file.file_name().unwrap())).unwrap();
    }
    let dry = place.run(&[&allowed[..], &["--dry-run", "-v"]].concat()).expect(0);
    for told in ["removes for ever, from the archive, 5 chunks", "oldest 2020-01-01", "chronoform archive expire"] {
        assert!(dry.out.contains(told), "{told}\n{}", dry.out);
    }
    place.run(&allowed).expect(0);
    let left: Vec<PathBuf> = files(place, "").into_iter().filter(|path| !path.starts_with(&other)).collect();
    assert_eq!(left.len(), 2, "the damaged one's are all that is left: {left:?}");
    assert_eq!(files(place, "").len(), 4);
    assert!(place.run(&allowed).expect(0).out.contains("Nothing is due."));
}

fn refused(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    db.run("ALTER TABLE public.trades ADD COLUMN odd pg_node_tree");
    let planned = place.run(&["run", "archive", "--dry-run", "--policies", "policy.yaml"]).expect(1);
    assert!(planned.err.contains("`odd`") && planned.err.contains("pg_node_tree"), "{}", planned.err);
    let before = left(db);
    run(place).expect(1);
    assert_eq!(left(db), before);
    assert!(files(place, ".json").is_empty());
}

/// Rows that are written to old chunks while they are archived are refused, or are in the table or the
/// archive afterwards.
fn written_meanwhile(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    let url = db.url().to_owned();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let writer = std::thread::spawn(move || {
        let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        let mut written = Vec::new();
        let mut number = 0;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            number += 1;
            let symbol = format!("w{number}");
            let insert = format!(
                "INSERT INTO public.trades (time, symbol) VALUES (timestamptz '2020-01-0{} 00:10+00', '{symbol}')",
                number % 6 + 1
            );
            if client.batch_execute(&insert).is_ok() {
                written.push(symbol);
            }
        }
        written
    });
    for _ in 0..4 {
        // What is written while a chunk is copied is copied again, or waits.
        run(place).expect(0);
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let written = writer.join().unwrap();
    assert!(!written.is_empty());
    run(place).expect(0);
    nothing_is_lost(db, place);
    let rows: std::collections::BTreeSet<String> =
        db.lines("SELECT symbol FROM public.trades UNION SELECT symbol FROM public.back").into_iter().collect();
    let lost: Vec<&String> = written.iter().filter(|symbol| !rows.contains(*symbol)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

/// The table that keeps what a continuous aggregate has made: it is copied, and neither dropped nor frozen.
fn of_an_aggregate(db: &Db, place: &Workplace<'_>) {
    prepare(db, place, true);
    db.run(
        "CREATE MATERIALIZED VIEW public.daily WITH (timescaledb.continuous) AS
             SELECT time_bucket('1 day', time) AS day, count(*) AS trades FROM public.trades GROUP BY 1 WITH NO DATA",
    );
    db.run("CALL refresh_continuous_aggregate('public.daily', NULL, '2020-02-01')");
    let sql = "SELECT format('%s.%s', materialization_hypertable_schema, materialization_hypertable_name) \
               FROM timescaledb_information.continuous_aggregates";
    let table = db.lines(sql).remove(0);
    let policy = fs::read_to_string(place.path().join("policy.yaml")).unwrap().replace("public.trades", &table);
    place.write("policy.yaml", &policy);
    let refused = run(place).expect(1);
    assert!(refused.err.contains("wrong-value") && refused.err.contains("drop: false"), "{}", refused.err);
    assert!(files(place, ".json").is_empty());
    place.write("policy.yaml", &policy.replace("drop: true", "drop: false"));
    run(place).expect(0);
    assert!(!files(place, ".json").is_empty());
    place.run(&["archive", "verify", "--policies", "policy.yaml"]).expect(0);
    // What comes late is refreshed as ever.
    db.run("INSERT INTO public.trades SELECT * FROM public.before WHERE time >= '2020-01-05' AND time < '2020-01-06'");
    db.run("CALL refresh_continuous_aggregate('public.daily', NULL, '2020-02-01')");
    assert_eq!(db.lines("SELECT trades FROM public.daily WHERE day = '2020-01-05 00:00+00'"), ["48"]);
}
