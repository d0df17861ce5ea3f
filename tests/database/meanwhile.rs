//! What others do while an apply waits for a lock or is busy with an earlier action is not undone unseen, and an
//! apply finds its own plan true where nobody does anything.

use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Failed, Trial};

use crate::cli::{Ran, Workplace};
use crate::servers::{Db, Servers, Tier};

/// The tests of a tier.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let add = |name: &str, run: fn(&Db)| {
        let servers = servers.clone();
        Trial::test(format!("{tier}::meanwhile::{name}"), move || -> Result<(), Failed> {
            run(&servers.db(tier)?);
            Ok(())
        })
    };
    let mut trials = Vec::new();
    if tier.has_policies() {
        trials.push(add("what_policies_give_by_default_is_known", what_policies_give_by_default_is_known));
        trials.push(add("a_role_in_sync_is_described", a_role_in_sync_is_described));
        trials.push(add("what_is_to_stay_empty_is_known", what_is_to_stay_empty_is_known));
    }
    if tier.has_policies() && !tier.single_session() {
        trials.push(add("a_pause_during_an_earlier_action", a_pause_during_an_earlier_action));
        trials.push(add("a_pause_during_a_wait", a_pause_during_a_wait));
        trials.push(add("a_grant_and_a_job_during_a_wait", a_grant_and_a_job_during_a_wait));
        trials.push(add("rows_that_go_during_an_earlier_action", rows_that_go_during_an_earlier_action));
        trials.push(add("a_job_changed_during_a_wait", a_job_changed_during_a_wait));
        trials.push(add("what_is_to_go_during_an_earlier_action", what_is_to_go_during_an_earlier_action));
        trials.push(add("nobody_does_anything", nobody_does_anything));
    }
    if !tier.single_session() {
        trials.push(add("an_index_made_by_hand_during_an_earlier_action", an_index_made_by_hand));
    }
    trials
}

/// Ten days of rows, an hour apart.
const TICKS: &str = "CREATE TABLE public.ticks (time timestamptz NOT NULL, v float8);
     SELECT create_hypertable('public.ticks', by_range('time', INTERVAL '1 day'));
     INSERT INTO public.ticks
     SELECT timestamptz '2026-01-01 00:00+00' + g * INTERVAL '1 hour', g FROM generate_series(0, 239) AS g";

fn aggregate(name: &str, of: &str, more: &str) -> String {
    format!(
        "kind: continuous_aggregate\nname: public.{name}\n\
         query: SELECT public.time_bucket('1 hour', time) AS bucket, {of} AS v FROM public.ticks GROUP BY 1\n{more}"
    )
}

const APPLY: [&str; 6] =
    ["apply", "p.yaml", "--auto-approve", "--allow=deletes_data", "--allow=builds_index", "--patience=60"];

/// The plan goes through, made on the spot and from a file, and nothing is left to do.
fn goes_through(place: &Workplace<'_>) {
    place.run(&["plan", "p.yaml", "--out", "plan.json"]).expect(0);
    place.run(&["apply", "--plan=plan.json", "--auto-approve", "--allow=deletes_data"]).expect(0);
    place.expect_converged("p.yaml");
}

fn what_policies_give_by_default_is_known(db: &Db) {
    let place = Workplace::new(db);
    let role = db.role("reader");
    db.run(TICKS);
    let maker = db.lines("SELECT current_user").remove(0);
    let with = |of: &str| {
        let role = format!(
            "kind: role\nname: {role}\ndefault_privileges:\n- {{privileges: [select], on: tables, made_by: {maker}}}\n"
        );
        place.write("p.yaml", &[role, aggregate("a", of, "with_data: true\n")].join("---\n"));
    };
    with("avg(v)");
    place.run(&APPLY).expect(0);
    with("max(v)");
    goes_through(&place);
    with("min(v)");
    place.run(&APPLY).expect(0);
    let has = format!(
        "SELECT has_table_privilege('{role}', 'public.a', 'SELECT'), has_table_privilege('{role}', 'public.a', 'INSERT')"
    );
    assert_eq!(db.lines(&has), ["t|f"]);
    db.run(&format!("ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM {role}"));
}

fn a_role_in_sync_is_described(db: &Db) {
    let place = Workplace::new(db);
    let role = db.role("described");
    db.run(&format!("CREATE ROLE {role}; COMMENT ON ROLE {role} IS 'known'"));
    db.run(TICKS);
    let with = |of: &str| {
        let role = format!("kind: role\nname: {role}\ncomment: known\n");
        place.write("p.yaml", &[role, aggregate("a", of, "with_data: true\n")].join("---\n"));
    };
    with("avg(v)");
    place.run(&APPLY).expect(0);
    with("max(v)");
    db.run(&format!("GRANT DELETE ON public.a TO {role}"));
    let planned = place.run(&["plan", "p.yaml"]).expect(0);
    let words = planned.out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("no policy grants that again"), "{}", planned.out);
    goes_through(&place);
}

fn what_is_to_stay_empty_is_known(db: &Db) {
    let place = Workplace::new(db);
    db.run(TICKS);
    let hourly = aggregate("h", "avg(v)", "with_data: false\n");
    place.write("p.yaml", &hourly);
    place.run(&APPLY).expect(0);
    let daily = "kind: continuous_aggregate\nname: public.d\nwith_data: true\n\
                 query: SELECT public.time_bucket('1 day', bucket) AS day, max(v) AS v FROM public.h GROUP BY 1\n";
    place.write("p.yaml", &[&hourly, daily].join("---\n"));
    place.run(&["plan", "p.yaml", "--out", "plan.json"]).expect(0);
    place.run(&["apply", "--plan=plan.json", "--auto-approve"]).expect(0);
    assert_eq!(db.lines("SELECT to_regclass('public.d') IS NOT NULL"), ["t"]);
}

/// Begins, and waits until it is past its quick tries and waits for somebody's lock: whatever is done from now on is
/// seen by the look that comes before the next.
fn begins_to_wait(db: &Db, place: &Workplace<'_>) -> Child {
    let child = place.start(&APPLY);
    until_it_waits(db);
    child
}

fn until_it_waits(db: &Db) {
    let waiting = "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE application_name = 'chronoform'
                      AND datname = current_database() AND wait_event_type = 'Lock'
                      AND pg_catalog.clock_timestamp() - query_start > INTERVAL '400 ms'";
    let started = Instant::now();
    while db.lines(waiting) == ["0"] {
        assert!(started.elapsed() < Duration::from_secs(60), "it does not wait");
        thread::sleep(Duration::from_millis(10));
    }
}

fn is_stale(child: Child, about: &str) -> Ran {
    let ran = Ran::of(&child.wait_with_output().unwrap());
    assert!(ran.code != 0 && ran.err.contains("plan-stale") && ran.err.contains(about), "{}\n{}", ran.out, ran.err);
    ran
}

/// Two aggregates, each with a retention policy that nothing was dropped by, and another query than they have.
fn two(db: &Db, place: &Workplace<'_>) {
    db.run(TICKS);
    let with = |of: &str| {
        let more = "with_data: true\nretention: {drop_after: 100 years}\n";
        place.write("p.yaml", &[aggregate("aa", of, more), aggregate("bb", of, more)].join("---\n"));
    };
    with("avg(v)");
    place.run(&APPLY).expect(0);
    with("max(v)");
}

const RETENTION: &str = "SELECT scheduled FROM timescaledb_information.jobs AS j
     JOIN timescaledb_information.continuous_aggregates AS c
       ON j.hypertable_name IN (c.materialization_hypertable_name, c.view_name) WHERE proc_name = 'policy_retention' AND view_name = ";

fn pause(db: &Db, of: &str) {
    db.run(&format!(
        "SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs AS j
           JOIN timescaledb_information.continuous_aggregates AS c
             ON j.hypertable_name IN (c.materialization_hypertable_name, c.view_name)
          WHERE proc_name = 'policy_retention' AND view_name = '{of}'"
    ));
    assert_eq!(db.lines(&format!("{RETENTION} '{of}'")), ["f"]);
}

fn a_pause_during_an_earlier_action(db: &Db) {
    let place = Workplace::new(db);
    two(db, &place);
    let mut reader = db.connect();
    reader.batch_execute("BEGIN; SELECT count(*) FROM public.aa").unwrap();
    let child = begins_to_wait(db, &place);
    pause(db, "bb");
    reader.batch_execute("COMMIT").unwrap();
    let ran = is_stale(child, "retention");
    assert!(ran.err.contains("bb"), "{}", ran.err);
    assert_eq!(db.lines(&format!("{RETENTION} 'bb'")), ["f"]);
    let queries = "SELECT string_agg((view_definition LIKE '%max(%')::text, ',' ORDER BY view_name)
                     FROM timescaledb_information.continuous_aggregates";
    assert_eq!(db.lines(queries), ["true,false"], "the first is done, the second is not begun");
    // The next tells the truth, and keeps the pause.
    place.run(&APPLY).expect(0);
    assert_eq!(db.lines(&format!("{RETENTION} 'bb'")), ["f"]);
    assert_eq!(db.lines("SELECT count(*) FROM public.bb"), ["240"]);
    place.run(&["ledger", "verify"]).expect(0);
}

fn a_pause_during_a_wait(db: &Db) {
    let place = Workplace::new(db);
    two(db, &place);
    let mut reader = db.connect();
    reader.batch_execute("BEGIN; SELECT count(*) FROM public.aa").unwrap();
    let child = begins_to_wait(db, &place);
    pause(db, "aa");
    reader.batch_execute("COMMIT").unwrap();
    let ran = is_stale(child, "retention");
    assert_eq!(ran.code, 3, "nothing was done\n{}", ran.err);
    assert_eq!(db.lines(&format!("{RETENTION} 'aa'")), ["f"]);
    place.run(&APPLY).expect(0);
    assert_eq!(db.lines(&format!("{RETENTION} 'aa'")), ["f"]);
    place.expect_converged("p.yaml");
}

fn a_grant_and_a_job_during_a_wait(db: &Db) {
    let place = Workplace::new(db);
    let role = db.role("granted");
    db.run(&format!("CREATE ROLE {role}"));
    db.run(TICKS);
    for (by_hand, undo) in [
        (format!("GRANT SELECT ON public.aa TO {role}"), format!("REVOKE SELECT ON public.aa FROM {role}")),
        (
            "SELECT add_retention_policy('public.aa', INTERVAL '100 years')".to_owned(),
            "SELECT remove_retention_policy('public.aa')".to_owned(),
        ),
        ("CREATE INDEX by_hand ON public.aa (v)".to_owned(), String::new()),
    ] {
        let with = |of: &str| place.write("p.yaml", &aggregate("aa", of, "with_data: true\n"));
        with("avg(v)");
        place.run(&APPLY).expect(0);
        with("max(v)");
        let mut reader = db.connect();
        reader.batch_execute("BEGIN; SELECT count(*) FROM public.aa").unwrap();
        let child = begins_to_wait(db, &place);
        db.run(&by_hand);
        reader.batch_execute("COMMIT").unwrap();
        is_stale(child, "aa");
        let definition = "SELECT view_definition LIKE '%avg(%' FROM timescaledb_information.continuous_aggregates";
        assert_eq!(db.lines(definition), ["t"], "{by_hand}");
        db.run(&undo);
    }
}

fn rows_that_go_during_an_earlier_action(db: &Db) {
    let place = Workplace::new(db);
    two(db, &place);
    let mut reader = db.connect();
    reader.batch_execute("BEGIN; SELECT count(*) FROM public.aa").unwrap();
    let child = begins_to_wait(db, &place);
    // The aggregate keeps what its chunks held, and could not be filled with it again.
    db.run("SET lock_timeout = 0; SELECT drop_chunks('public.ticks', older_than => timestamptz '2026-01-05')");
    reader.batch_execute("COMMIT").unwrap();
    is_stale(child, "would delete more than the plan counted");
    assert_eq!(db.lines("SELECT count(*) FROM public.bb"), ["240"]);
}

fn a_job_changed_during_a_wait(db: &Db) {
    let place = Workplace::new(db);
    for name in ["one", "two"] {
        db.run(&format!("CREATE PROCEDURE public.{name}(job_id int, config jsonb) LANGUAGE plpgsql AS 'BEGIN END'"));
    }
    let with = |procedure: &str| {
        let job = "schedule: {every: 1 day, initial_start: '2035-01-01 00:00:00+00'}";
        place.write("p.yaml", &format!("kind: job\nname: tidy\nprocedure: public.{procedure}\n{job}\n"));
    };
    with("one");
    place.run(&APPLY).expect(0);
    with("two");
    let mut other = db.connect();
    let pause =
        "SELECT alter_job(job_id, scheduled => false) FROM timescaledb_information.jobs WHERE proc_name = 'one'";
    other.batch_execute(&format!("BEGIN; {pause}")).unwrap();
    let child = begins_to_wait(db, &place);
    other.batch_execute("COMMIT").unwrap();
    is_stale(child, "tidy");
    let jobs = "SELECT proc_name, scheduled FROM timescaledb_information.jobs WHERE proc_name IN ('one', 'two')";
    assert_eq!(db.lines(jobs), ["one|f"]);
    place.run(&APPLY).expect(0);
    assert_eq!(db.lines(jobs), ["two|f"], "the next keeps the pause");
}

fn what_is_to_go_during_an_earlier_action(db: &Db) {
    let place = Workplace::new(db);
    two(db, &place);
    let kept = aggregate("aa", "max(v)", "with_data: true\nretention: {drop_after: 100 years}\n");
    let gone = "kind: continuous_aggregate\nname: public.bb\nensure: absent\n";
    place.write("p.yaml", &[kept.as_str(), gone].join("---\n"));
    let mut reader = db.connect();
    reader.batch_execute("BEGIN; SELECT count(*) FROM public.aa").unwrap();
    let child = begins_to_wait(db, &place);
    db.run("CREATE INDEX by_hand ON public.bb (v)");
    reader.batch_execute("COMMIT").unwrap();
    is_stale(child, "bb");
    assert_eq!(db.lines("SELECT count(*) FROM public.bb"), ["240"]);
    place.run(&APPLY).expect(0);
    assert_eq!(db.lines("SELECT to_regclass('public.bb') IS NULL"), ["t"]);
    place.expect_converged("p.yaml");
}

/// What the run does itself is no change, also where it has to wait.
fn nobody_does_anything(db: &Db) {
    let place = Workplace::new(db);
    two(db, &place);
    let mut reader = db.connect();
    reader.batch_execute("BEGIN; SELECT count(*) FROM public.aa, public.bb").unwrap();
    let child = begins_to_wait(db, &place);
    reader.batch_execute("COMMIT").unwrap();
    Ran::of(&child.wait_with_output().unwrap()).expect(0);
    place.expect_converged("p.yaml");
    assert_eq!(db.lines("SELECT count(*) FROM public.bb"), ["240"]);
    place.run(&["ledger", "verify"]).expect(0);
}

fn an_index_made_by_hand(db: &Db) {
    let place = Workplace::new(db);
    db.run("CREATE TABLE public.t (id int, w int); CREATE TABLE public.u (id int, w int)");
    let with = |fillfactor: u32, columns: &str| {
        let documents = format!(
            "kind: table\nname: public.t\nstorage: {{fillfactor: {fillfactor}}}\n---\n\
             kind: table\nname: public.u\nindexes:\n- {{name: ix_u, columns: [{columns}]}}\n"
        );
        place.write("p.yaml", &documents);
    };
    with(90, "id");
    place.run(&APPLY).expect(0);
    with(80, "w");
    let mut writer = db.connect();
    writer.batch_execute("BEGIN; LOCK TABLE public.t IN ACCESS EXCLUSIVE MODE").unwrap();
    let child = begins_to_wait(db, &place);
    db.run("DROP INDEX public.ix_u; CREATE UNIQUE INDEX ix_u ON public.u (id, w)");
    writer.batch_execute("COMMIT").unwrap();
    is_stale(child, "ix_u");
    assert_eq!(db.lines("SELECT indisunique FROM pg_index WHERE indexrelid = 'public.ix_u'::regclass"), ["t"]);
    place.run(&["ledger", "verify"]).expect(0);
}
