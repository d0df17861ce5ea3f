//! Several targets of one project: one table, one exit code, each its own database.

use libtest_mimic::{Failed, Trial};
use serde_json::Value as Json;

use crate::cli::Workplace;
use crate::servers::{Db, Servers, Tier};

const POLICY: &str = "kind: table\nname: public.t\nindexes:\n  - {name: ix_t_at, columns: [at desc]}\n\
                      storage: {fillfactor: '${var.fill}'}\n";
const ALLOW: [&str; 5] = ["--auto-approve", "--allow", "builds_index", "--allow", "blocks_writes"];

/// The tests of a tier. Its server must hold several sessions.
pub fn trials(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut add = |name: &str, run: fn(&[Db], &Workplace<'_>)| {
        let servers = servers.clone();
        trials.push(Trial::test(format!("{tier}::fleet::{name}"), move || -> Result<(), Failed> {
            let databases = (0..3).map(|_| servers.db(tier)).collect::<Result<Vec<_>, _>>()?;
            let place = Workplace::new(&databases[0]);
            prepare(&databases, &place);
            run(&databases, &place);
            Ok(())
        }));
    };
    if !tier.single_session() {
        add("plans_are_one_table_and_one_document", plans_are_one_table_and_one_document);
        add("a_folder_of_plans_is_applied", a_folder_of_plans_is_applied);
        add("a_failure_stops_the_others_unless_told_to_go_on", a_failure_stops_the_others_unless_told_to_go_on);
        add("a_target_is_not_taken_for_another_database", a_target_is_not_taken_for_another_database);
        add("two_targets_of_one_database_are_noticed", two_targets_of_one_database_are_noticed);
        add("drift_of_several_is_one_report", drift_of_several_is_one_report);
        add("new_drift_is_told_from_known_drift", new_drift_is_told_from_known_drift);
        add("the_server_tells_what_it_knows_of_a_change", the_server_tells_what_it_knows_of_a_change);
    }
    trials
}

fn prepare(databases: &[Db], place: &Workplace<'_>) {
    std::fs::create_dir_all(place.path().join("policies")).unwrap();
    place.write("policies/t.yaml", POLICY);
    for db in databases {
        db.run("CREATE TABLE public.t (id bigint, at timestamptz NOT NULL);\nINSERT INTO public.t SELECT g, now() FROM generate_series(1, 100) AS g;\n");
    }
    project(databases, place);
}

/// `a`, `b` and `c` are the databases; nobody answers at `gone`.
fn project(databases: &[Db], place: &Workplace<'_>) {
    let targets: String = ["a", "b", "c"]
        .iter()
        .zip(databases)
        .enumerate()
        .map(|(n, (name, db))| format!("  {name}: {{url: '{}', variables: {{fill: {}}}}}\n", db.url(), 70 + n))
        .collect();
    let gone = "  gone: {url: 'postgres://nobody@127.0.0.1:1/none', password: '${env.GONE_PASSWORD}'}\n";
    place.write("chronoform.yaml", &format!("variables: {{fill: 90}}\ntargets:\n{targets}{gone}"));
}

fn run(place: &Workplace<'_>, arguments: &[&str]) -> crate::cli::Ran {
    let mut command = place.command(arguments);
    command.env("GONE_PASSWORD", "hunter2-never-shown");
    let ran = crate::cli::Ran::of(&command.output().unwrap());
    assert!(!ran.out.contains("hunter2") && !ran.err.contains("hunter2"), "{}\n{}", ran.out, ran.err);
    ran
}

fn results(document: &str) -> Vec<(String, String)> {
    let document: Json = serde_json::from_str(document).unwrap();
    let word = |target: &Json, key: &str| target[key].as_str().unwrap().to_owned();
    document["targets"].as_array().unwrap().iter().map(|t| (word(t, "target"), word(t, "result"))).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, result)| ((*name).to_owned(), (*result).to_owned())).collect()
}

fn fillfactor(db: &Db) -> String {
    db.lines("SELECT coalesce(pg_catalog.array_to_string(reloptions, ','), '') FROM pg_catalog.pg_class WHERE oid = 'public.t'::regclass").remove(0)
}

fn plans_are_one_table_and_one_document(_: &[Db], place: &Workplace<'_>) {
    let ran = run(place, &["plan", "--all-targets"]).expect(1);
    let lines: Vec<&str> = ran.out.lines().collect();
    fn words(line: &str) -> Vec<&str> {
        line.split_whitespace().collect()
    }
    assert!(lines[0].starts_with("target"), "{}", ran.out);
    assert!(words(lines[1])[..2] == ["a", "changes"], "{}", ran.out);
    assert!(words(lines[4])[..2] == ["gone", "connect-failed"], "{}", ran.out);
    // One after another, each whole.
    let places: Vec<usize> = ["── a", "fillfactor: 70", "── b", "fillfactor: 71", "── c", "fillfactor: 72"]
        .iter()
        .map(|part| ran.out.find(part).unwrap_or_else(|| panic!("{part} not in\n{}", ran.out)))
        .collect();
    assert!(places.is_sorted(), "{}", ran.out);
    assert!(ran.err.starts_with("target gone:\nerror[connect-failed]"), "{}", ran.err);

    let ran = run(place, &["plan", "--target", "?", "--format", "json", "--detailed-exitcode"]).expect(2);
    assert_eq!(results(&ran.out), pairs(&[("a", "changes"), ("b", "changes"), ("c", "changes")]));
    let document: Json = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["exit_code"], 2);
    assert_eq!(document["targets"][1]["plan"]["summary"]["create"], 2);
    // A pattern makes a report of several, even where it matches one.
    let ran = run(place, &["plan", "--target", "b*", "--format", "json"]).expect(0);
    assert_eq!(results(&ran.out), pairs(&[("b", "changes")]));
    run(place, &["plan", "--target", "x*"]).expect(1);
    for format in ["markdown", "html"] {
        let ran = run(place, &["plan", "--all-targets", "--format", format]).expect(1);
        assert!(ran.out.contains("connect-failed") && ran.out.contains("ix_t_at"), "{}", ran.out);
    }
    // An error in a policy is said once, and not once for each target.
    place.write("policies/t.yaml", "kind: table\nname: public.t\nstorrage: {}\n");
    let ran = run(place, &["plan", "--target", "?"]).expect(1);
    assert_eq!(ran.err.matches("unknown-key").count(), 1, "{}", ran.err);
    assert!(ran.err.starts_with("targets a, b, c:"), "{}", ran.err);
    // What works on one target says so.
    assert!(run(place, &["ledger", "log", "--all-targets"]).expect(1).err.contains("one target"));
}

fn a_folder_of_plans_is_applied(databases: &[Db], place: &Workplace<'_>) {
    std::fs::create_dir(place.path().join("plans")).unwrap();
    place.write("plans/gone.json", "an older one");
    run(place, &["plan", "--all-targets", "--out", "plans"]).expect(1);
    let mut files: Vec<_> =
        std::fs::read_dir(place.path().join("plans")).unwrap().map(|e| e.unwrap().file_name()).collect();
    files.sort();
    assert_eq!(files, ["a.json", "b.json", "c.json"], "no plan of an earlier run is left");

    let mut arguments = vec!["apply", "--target", "?", "--plan", "plans", "--parallel", "3"];
    arguments.extend(ALLOW);
    let ran = run(place, &arguments).expect(0);
    assert!(ran.out.ends_with("\n3 targets: 3 applied.\n"), "{}", ran.out);
    for (db, wanted) in databases.iter().zip(["70", "71", "72"]) {
        assert_eq!(fillfactor(db), format!("fillfactor={wanted}"));
    }
    // One ledger, and each database's own rows in it.
    let log: Json = serde_json::from_str(&run(place, &["ledger", "log", "--format", "json"]).expect(0).out).unwrap();
    let log = log.to_string();
    for db in databases {
        let name = db.lines("SELECT pg_catalog.current_database()").remove(0);
        assert!(log.contains(&name), "{name} not in {log}");
    }
    run(place, &["ledger", "verify"]).expect(0);
    arguments.retain(|argument| !matches!(*argument, "--plan" | "plans"));
    let ran = run(place, &arguments).expect(0);
    assert!(ran.out.ends_with("\n3 targets: 3 nothing to do.\n"), "{}", ran.out);
    // A plan of another target's is another database's.
    run(place, &["plan", "--target", "?", "--out", "plans"]).expect(0);
    std::fs::copy(place.path().join("plans/a.json"), place.path().join("plans/b.json")).unwrap();
    let ran = run(place, &["apply", "--target", "b*", "--plan", "plans", "--auto-approve"]).expect(3);
    assert!(ran.err.contains("wrong-database"), "{}", ran.err);
}

fn a_failure_stops_the_others_unless_told_to_go_on(databases: &[Db], place: &Workplace<'_>) {
    let mut arguments = vec!["apply", "--all-targets", "--format", "json"];
    arguments.extend(ALLOW);
    // One that cannot be planned: nothing is begun.
    let ran = run(place, &arguments).expect(1);
    let not_begun = [("a", "not begun"), ("b", "not begun"), ("c", "not begun"), ("gone", "connect-failed")];
    assert_eq!(results(&ran.out), pairs(&not_begun));
    assert!(databases.iter().all(|db| fillfactor(db).is_empty()));
    // One that fails while it is carried out: those before it are done, those after it are left.
    let held = databases[1].lines("SELECT pg_catalog.current_database()").remove(0);
    databases[1].run("CREATE FUNCTION public.no() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not today''; END';\nCREATE EVENT TRIGGER no ON ddl_command_start WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION public.no();\n");
    let mut arguments = vec!["apply", "--target", "?", "--format", "json"];
    arguments.extend(ALLOW);
    let ran = run(place, &arguments).expect(4);
    assert_eq!(results(&ran.out), pairs(&[("a", "applied"), ("b", "step-failed"), ("c", "not begun")]), "{held}");
    let last = ran.err.lines().find(|line| line.starts_with("[b ")).unwrap_or_default();
    assert!(last.starts_with("[b 1/2] create"), "{}", ran.err);
    arguments.push("--keep-going");
    let ran = run(place, &arguments).expect(4);
    assert_eq!(results(&ran.out), pairs(&[("a", "nothing to do"), ("b", "step-failed"), ("c", "applied")]));
    databases[1].run("DROP EVENT TRIGGER no");
    run(place, &arguments).expect(0);
    assert_eq!(fillfactor(&databases[1]), "fillfactor=71");
}

fn a_target_is_not_taken_for_another_database(databases: &[Db], place: &Workplace<'_>) {
    let mut arguments = vec!["apply", "--target", "?"];
    arguments.extend(ALLOW);
    run(place, &arguments).expect(0);
    let text = std::fs::read_to_string(place.path().join("chronoform.yaml")).unwrap();
    let (a, b) = (databases[0].url(), databases[1].url());
    let swapped = text.replace(a, "@@").replace(b, a).replace("@@", b);
    // Known databases are known under any name; a new one is refused under a name that is taken.
    place.write("chronoform.yaml", &swapped.replace("  c:", "  d:"));
    run(place, &["plan", "--target", "?"]).expect(0);
    let fresh = "CREATE TABLE IF NOT EXISTS public.t (id bigint, at timestamptz NOT NULL)";
    databases[2].run(fresh);
    place.write(".chronoform/keep", "");
    std::fs::remove_file(place.path().join(".chronoform/ledger.db")).unwrap();
    place.write("chronoform.yaml", &text);
    let mut only_a = vec!["apply", "--target", "a"];
    only_a.extend(ALLOW);
    run(place, &only_a).expect(0);
    place.write("chronoform.yaml", &text.replace(a, b));
    let ran = run(place, &["plan", "--target", "a"]).expect(3);
    assert!(ran.err.contains("ledger-other-database") && ran.err.contains("the target `a`"), "{}", ran.err);
    run(place, &["plan", "--target", "a", "--allow-new-database"]).expect(0);
}

fn two_targets_of_one_database_are_noticed(databases: &[Db], place: &Workplace<'_>) {
    let url = databases[0].url();
    let targets = format!("  a: {{url: '{url}'}}\n  again: {{url: '{url}'}}\n");
    let other = format!("  b: {{url: '{}'}}\n", databases[1].url());
    place.write("chronoform.yaml", &format!("variables: {{fill: 90}}\ntargets:\n{targets}{other}"));
    let said = "[same-database]: the targets `a` and `again` are one";
    for (arguments, exit, severity) in [
        (&["plan", "--all-targets"][..], 3, "error"),
        // Quiet, too: it is what `apply` refuses.
        (&["plan", "--all-targets", "-q"], 3, "error"),
        (&["plan", "--target", "a", "--target", "again", "--format", "json"], 3, "error"),
        (&["drift", "--all-targets"], 2, "warning"),
    ] {
        let ran = run(place, arguments).expect(exit);
        assert!(ran.err.contains(&format!("{severity}{said}")), "{}", ran.err);
        assert_eq!(ran.err.matches("same-database").count(), 1, "{}", ran.err);
        assert!(ran.err.contains("targets a, again:"), "{}", ran.err);
        if arguments.contains(&"json") {
            let document: Json = serde_json::from_str(&ran.out).unwrap();
            assert_eq!(document["targets"][0]["diagnostics"][0]["code"], "same-database", "{document:#}");
        }
    }
    // One alone: what the configuration tells of the other.
    let ran = run(place, &["plan", "--target", "again"]).expect(0);
    assert!(ran.err.contains("warning[same-database]: the targets `again` and `a` are one"), "{}", ran.err);
    assert!(!run(place, &["plan", "--target", "b"]).expect(0).err.contains("same-database"));
    let apply: Vec<&str> = [&["apply", "--all-targets"][..], &ALLOW].concat();
    let ran = run(place, &apply).expect(3);
    assert!(ran.err.contains("error[same-database]"), "{}", ran.err);
    assert!(databases[..2].iter().all(|db| fillfactor(db).is_empty()));
    // The others are none of their business.
    run(place, &[&apply[..], &["--keep-going"]].concat()).expect(3);
    assert_eq!((fillfactor(&databases[0]).as_str(), fillfactor(&databases[1]).as_str()), ("", "fillfactor=90"));
}

fn drift_of_several_is_one_report(databases: &[Db], place: &Workplace<'_>) {
    let mut arguments = vec!["apply", "--target", "?"];
    arguments.extend(ALLOW);
    run(place, &arguments).expect(0);
    databases[2].run("ALTER TABLE public.t SET (fillfactor = 50)");
    let ran = run(place, &["drift", "--target", "?", "--format", "json"]).expect(2);
    assert_eq!(results(&ran.out), pairs(&[("a", "no drift"), ("b", "no drift"), ("c", "drift")]));
    let document: Json = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(document["targets"][2]["drift"]["summary"]["drifted"], 1);
    run(place, &["drift", "--all-targets"]).expect(1);
}

fn new_drift_is_told_from_known_drift(databases: &[Db], place: &Workplace<'_>) {
    let mut arguments = vec!["apply", "--target", "a"];
    arguments.extend(ALLOW);
    run(place, &arguments).expect(0);
    let drift = |code: i32, more: &[&str]| run(place, &[&["drift", "--target", "a"], more].concat()).expect(code);
    drift(0, &["--gate", "new"]);
    databases[0].run("ALTER TABLE public.t SET (fillfactor = 50)");
    // Without an earlier report all of it is new; looking alone records nothing.
    assert!(drift(2, &["--gate", "new"]).out.contains("1 new, 0 known"));
    drift(2, &["--gate", "new", "--record"]);
    assert!(drift(0, &["--gate", "new"]).out.contains("0 new, 1 known"));
    drift(2, &[]);
    // The same resource with another difference is new.
    databases[0].run("ALTER TABLE public.t SET (fillfactor = 51)");
    drift(2, &["--gate", "new"]);
    drift(2, &["--out", "json=report.json"]);
    drift(0, &["--gate", "new", "--baseline", "report.json"]);
    databases[0].run("DROP INDEX public.ix_t_at");
    let ran = drift(2, &["--gate", "new", "--baseline", "report.json", "--format", "junit"]);
    assert!(ran.out.contains("failures=\"1\"") && ran.out.contains("<skipped message=\"known already"), "{}", ran.out);
    // What was mended and comes back is new again.
    drift(2, &["--record"]);
    run(place, &arguments).expect(0);
    drift(0, &["--record", "--gate", "new"]);
    databases[0].run("DROP INDEX public.ix_t_at");
    drift(2, &["--gate", "new"]);
    // Another database's report, and what is no report.
    let ran = run(place, &["drift", "--target", "b", "--gate", "new", "--baseline", "report.json"]).expect(3);
    assert!(ran.err.contains("wrong-database"), "{}", ran.err);
    let ran = run(place, &["drift", "--target", "a", "--baseline", "chronoform.yaml"]).expect(1);
    assert!(ran.err.contains("baseline-unreadable"), "{}", ran.err);
    run(place, &["ledger", "verify"]).expect(0);
}

fn the_server_tells_what_it_knows_of_a_change(databases: &[Db], place: &Workplace<'_>) {
    let mut command = place.command(&["apply", "--target", "a"]);
    command.args(ALLOW).env("GONE_PASSWORD", "x");
    command.env("CI_COMMIT_SHA", "8f2c1d0aa").env("CI_JOB_URL", "https://ci.example/7").env("GITLAB_USER_LOGIN", "ada");
    for variable in ["GITHUB_SHA", "GITHUB_ACTOR", "GITHUB_RUN_ID"] {
        command.env_remove(variable);
    }
    crate::cli::Ran::of(&command.output().unwrap()).expect(0);
    databases[0].run("ALTER TABLE public.t SET (fillfactor = 50)");
    let ran = run(place, &["drift", "--target", "a", "--format", "json"]).expect(2);
    let document: Json = serde_json::from_str(&ran.out).unwrap();
    let storage = document["resources"].as_array().unwrap().iter().find(|r| r["kind"] == "storage").unwrap();
    let applied = &storage["last_applied"];
    assert_eq!(applied["actor"], "ada");
    assert_eq!(applied["commit"], "8f2c1d0aa");
    assert_eq!(applied["pipeline"], "https://ci.example/7");
    let tracked = databases[0].lines("SHOW track_commit_timestamp").remove(0) == "on";
    let silence = document["server_silence"].as_str().unwrap_or_default();
    assert_eq!(silence.contains("track_commit_timestamp is off"), !tracked, "{silence}");
    assert_eq!(storage["server"]["written"].is_string(), tracked);
    assert_eq!(
        run(place, &["drift", "--target", "a"]).expect(2).out.matches("track_commit").count(),
        usize::from(!tracked)
    );
}
