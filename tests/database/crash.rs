//! Invariants 6 and 7: the process dies anywhere, or two run at once, and the next run converges.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

/// Many small actions, some of them outside a transaction.
const TABLES: usize = 6;

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut add = |name: &str, run: fn(&Db, &Workplace<'_>)| {
        let servers = servers.clone();
        trials.push(Trial::test(format!("{tier}::crash::{name}"), move || -> Result<(), Failed> {
            let db = servers.db(tier)?;
            let place = Workplace::new(&db);
            run(&db, &place);
            Ok(())
        }));
    };
    add("killed_at_every_action", killed_at_every_action);
    if !tier.single_session() {
        add("killed_inside_a_concurrent_build", killed_inside_a_concurrent_build);
        add("terminated_connection", terminated_connection);
        add("what_a_broken_build_leaves_is_its_own", what_a_broken_build_leaves_is_its_own);
        add("two_at_once", two_at_once);
        add("a_short_lock_is_waited_for", a_short_lock_is_waited_for);
        add("patience_has_an_end", patience_has_an_end);
        add("the_holder_is_named", the_holder_is_named);
    }
    trials
}

fn prepare(db: &Db, place: &Workplace<'_>) {
    let tables: String = (0..TABLES)
        .map(|n| format!("CREATE TABLE public.t{n} (id bigint, at timestamptz NOT NULL, v text);\nINSERT INTO public.t{n} SELECT g, now(), 'x' FROM generate_series(1, 500) AS g;\n"))
        .collect();
    db.run(&tables);
    let policies: Vec<String> = (0..TABLES)
        .map(|n| format!("kind: table\nname: public.t{n}\nindexes:\n  - {{name: ix_t{n}_v, columns: [v]}}\n  - {{name: ix_t{n}_at, columns: [at desc]}}\nstorage: {{fillfactor: 90}}\n"))
        .collect();
    place.write("policy.yaml", &policies.join("---\n"));
}

/// Nothing is left half-done, nothing twice, and the ledger is whole.
fn settled(db: &Db, place: &Workplace<'_>) {
    place.apply("policy.yaml").expect(0);
    place.expect_converged("policy.yaml");
    place.run(&["ledger", "verify"]).expect(0);
    let count = |sql: &str| db.lines(sql).remove(0);
    let indexes = "SELECT count(*) FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid \
                   WHERE c.relname ~ '^t[0-9]$' AND c.relnamespace = 'public'::regnamespace";
    assert_eq!(count(&format!("{indexes} AND i.indisvalid")), (TABLES * 2).to_string());
    assert_eq!(count(indexes), (TABLES * 2).to_string());
    let drift = place.run(&["drift", "policy.yaml", "--format", "json"]).expect(0);
    assert!(!drift.out.contains("in_doubt"));
}

fn killed_at_every_action(db: &Db, place: &Workplace<'_>) {
    prepare(db, place);
    let actions = TABLES * 3;
    for at in 1..=actions {
        let mut child = place.start(&[
            "apply",
            "policy.yaml",
            "--auto-approve",
            "--allow",
            "builds_index",
            "--allow",
            "blocks_writes",
        ]);
        kill_at(&mut child, &format!("/{}] ", actions - at + 1));
        place.run(&["ledger", "verify"]).expect(0);
    }
    settled(db, place);
}

/// Kills the process as soon as it says that it begins the second action (or the only one).
fn kill_at(child: &mut Child, total: &str) {
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let wanted = [format!("[2{total}"), format!("[1{total}")];
    for line in lines.map_while(Result::ok) {
        let last = total == "/1] ";
        if line.starts_with(&wanted[usize::from(last)]) {
            break;
        }
    }
    // It may have ended by itself already.
    let _ = child.kill();
    child.wait().unwrap();
}

/// Waits until a query of the test's own gives a row.
fn wait_for(db: &Db, sql: &str) {
    let started = Instant::now();
    while db.lines(sql).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(30), "nothing came of {sql}");
        thread::sleep(Duration::from_millis(20));
    }
}

const BUILDING: &str = "SELECT 1 FROM pg_catalog.pg_stat_activity \
     WHERE datname = current_database() AND query LIKE 'CREATE INDEX CONCURRENTLY%' AND state = 'active'";

/// A build that waits for an older transaction to end.
fn begin_build(db: &Db, place: &Workplace<'_>) -> (postgres::Client, Child) {
    prepare(db, place);
    begin_to_build(db, place)
}

fn begin_to_build(db: &Db, place: &Workplace<'_>) -> (postgres::Client, Child) {
    let mut blocker = db.connect();
    blocker.batch_execute("BEGIN; UPDATE public.t0 SET v = v WHERE id = 1").unwrap();
    let child =
        place.start(&["apply", "policy.yaml", "--auto-approve", "--allow", "builds_index", "--allow", "blocks_writes"]);
    wait_for(db, BUILDING);
    (blocker, child)
}

fn killed_inside_a_concurrent_build(db: &Db, place: &Workplace<'_>) {
    let (mut blocker, mut child) = begin_build(db, place);
    child.kill().unwrap();
    child.wait().unwrap();
    // The server goes on with the statement of a dead client, or fails: either must be handled.
    blocker.batch_execute("ROLLBACK").unwrap();
    let started = Instant::now();
    while !db.lines(BUILDING).is_empty() && started.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(20));
    }
    settled(db, place);
}

const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() \
     AND application_name = 'chronoform'";

/// An index that is not valid, of a build that was broken off, is no drift: a run of our own left it so.
fn what_a_broken_build_leaves_is_its_own(db: &Db, place: &Workplace<'_>) {
    prepare(db, place);
    place.apply("policy.yaml").expect(0);
    for stop in [TERMINATE, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX C%'"] {
        db.run("DROP INDEX public.ix_t0_v");
        let (mut blocker, child) = begin_to_build(db, place);
        assert!(!db.lines(stop).is_empty());
        child.wait_with_output().unwrap();
        blocker.batch_execute("ROLLBACK").unwrap();
        assert_eq!(db.lines("SELECT indisvalid FROM pg_index WHERE indexrelid = 'public.ix_t0_v'::regclass"), ["f"]);
        let drift = place.run(&["drift", "policy.yaml"]).expect(2);
        for word in ["drifted", "conflict", "missing"] {
            assert!(!drift.out.contains(word), "{word} after {stop}:\n{}", drift.out);
        }
        assert!(drift.out.contains("begun, and not ended, by the apply of"), "{}", drift.out);
        settled(db, place);
    }
}

fn terminated_connection(db: &Db, place: &Workplace<'_>) {
    let (mut blocker, child) = begin_build(db, place);
    assert!(!db.lines(TERMINATE).is_empty());
    let ended = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(4), "{err}");
    assert!(err.contains("in-doubt"), "{err}");
    blocker.batch_execute("ROLLBACK").unwrap();
    settled(db, place);
}

fn two_at_once(db: &Db, place: &Workplace<'_>) {
    prepare(db, place);
    let arguments = ["apply", "policy.yaml", "--auto-approve", "--allow", "builds_index", "--allow", "blocks_writes"];
    let children: Vec<Child> = (0..2).map(|_| place.start(&arguments)).collect();
    for child in children {
        let ended = child.wait_with_output().unwrap();
        let (code, err) = (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned());
        // One works; the other finds nothing left, or is told that its plan is stale.
        assert!(code == Some(0) || code == Some(3), "exit {code:?}\n{err}");
    }
    settled(db, place);
}

fn a_short_lock_is_waited_for(db: &Db, place: &Workplace<'_>) {
    prepare(db, place);
    let mut blocker = db.connect();
    blocker.batch_execute("BEGIN; LOCK TABLE public.t0 IN SHARE UPDATE EXCLUSIVE MODE").unwrap();
    let child =
        place.start(&["apply", "policy.yaml", "--auto-approve", "--allow", "builds_index", "--allow", "blocks_writes"]);
    let waiting = "SELECT 1 FROM pg_catalog.pg_locks WHERE NOT granted AND relation = 'public.t0'::regclass";
    wait_for(db, waiting);
    blocker.batch_execute("ROLLBACK").unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    settled(db, place);
}

fn patience_has_an_end(db: &Db, place: &Workplace<'_>) {
    db.run("CREATE TABLE public.s (id bigint)");
    place.write("policy.yaml", "kind: table\nname: public.s\nstorage: {fillfactor: 90}\n");
    let mut blocker = db.connect();
    blocker.batch_execute("SET application_name = 'nightly'; BEGIN; LOCK TABLE public.s IN SHARE MODE").unwrap();
    let started = Instant::now();
    let child = place.start(&["apply", "policy.yaml", "--auto-approve", "--patience", "3"]);
    let waiting = "SELECT 1 FROM pg_catalog.pg_locks WHERE NOT granted AND relation = 'public.s'::regclass";
    wait_for(db, waiting);
    // Whoever comes while it tries is held up for as long as one try lasts.
    let mut writer = db.connect();
    let asked = Instant::now();
    writer.batch_execute("SELECT count(*) FROM public.s").unwrap();
    assert!(asked.elapsed() < Duration::from_secs(3), "{:?}", asked.elapsed());
    let ended = child.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(4), "{err}");
    assert!(started.elapsed() < Duration::from_secs(60));
    for word in ["application nightly", "attempt 1", "--patience", "55P03"] {
        assert!(err.contains(word), "{word}: {err}");
    }
    assert!(!err.contains("LOCK TABLE"), "no query of others: {err}");
    // Each try is on record.
    let shown = place.run(&["ledger", "show"]).expect(0).out;
    assert!(shown.matches("ALTER TABLE").count() >= 2, "{shown}");
    blocker.batch_execute("ROLLBACK").unwrap();
    place.apply("policy.yaml").expect(0);
    place.expect_converged("policy.yaml");
}

fn the_holder_is_named(db: &Db, place: &Workplace<'_>) {
    db.run("CREATE TABLE public.s (id bigint)");
    place.write("policy.yaml", "kind: table\nname: public.s\nstorage: {fillfactor: 90}\n");
    let mut holder = db.connect();
    let take = "SET application_name = 'somebody'; SELECT pg_advisory_lock(x'6368726f6e6f666d'::bit(64)::bigint)";
    holder.batch_execute(take).unwrap();
    let ran = place.run(&["apply", "policy.yaml", "--auto-approve", "--lock-timeout", "1"]).expect(3);
    for word in
        ["[locked]", "role `postgres`", "application `somebody`", "pid ", "connected since 20", "from 127.0.0.1"]
    {
        assert!(ran.err.contains(word), "{word}: {}", ran.err);
    }
    assert!(ran.err.contains("waiting for the database's lock") && !ran.err.contains("pg_advisory"), "{}", ran.err);
    drop(holder);
    place.apply("policy.yaml").expect(0);
}
