//! Drills that do not come to a good end: one is killed, another finds damage.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;

use super::WEEKLY;
use super::ground::{Case, Ground, wait};

/// The tests of all tiers.
pub const TRIALS: [Case; 4] = [
    ("what_a_killed_drill_left_goes", what_a_killed_drill_left_goes),
    ("a_drill_that_fails_is_on_record", that_fails),
    ("a_drill_by_a_role_that_reads_nothing", by_a_role_that_reads_nothing),
    ("a_drill_where_the_first_superuser_may_not_log_in", without_the_first_superuser),
];

fn what_a_killed_drill_left_goes(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    ground.work().expect(0);
    let (ledger, policies) = (ground.inside("ledger.db"), ground.inside("policies"));
    let arguments = ["backup", "drill", "--auto-approve", "--ledger", &ledger, "--policies", &policies, "--quiet"];
    let mut child = ground.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let drills = || -> Vec<_> {
        let entries = fs::read_dir(ground.repository()).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("drill-")).collect()
    };
    wait("the drill's server", || drills().iter().any(|folder| folder.join("data/postmaster.pid").exists()));
    let _ = child.kill();
    child.wait().unwrap();
    let left = drills();
    assert_eq!(left.len(), 1);
    wait("the killed one's session to end", || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'chronoform'";
        ground.connect().query_one(sql, &[]).unwrap().get::<_, i64>(0) == 0
    });
    ground.run(&["backup", "drill", "--auto-approve"]).expect(0);
    assert!(drills().is_empty());
}

/// What a drill finds out is told afterwards, not only that it passed.
fn that_fails(ground: &mut Ground) {
    ground.set_up(&format!("{WEEKLY}verify: {{restore_drill: 7 days}}\n"));
    ground.work().expect(0);
    let drills = || -> Vec<(bool, String)> {
        let listed = ground.run(&["backup", "list", "--format", "json"]).expect(0).out;
        let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
        let each = listed["drills"].as_array().unwrap_or_else(|| panic!("{listed:#}")).iter();
        each.map(|drill| (drill["passed"] == true, drill["label"].as_str().unwrap().to_owned())).collect()
    };
    assert_eq!(drills(), []);
    ground.work().expect(0);
    let label = ground.labels().remove(0);
    let passed = (true, label.clone());
    assert_eq!(drills(), std::slice::from_ref(&passed));
    let base = ground.repository().join("backups").join(&label).join("base.tar.zst");
    let whole = fs::read(&base).unwrap();
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&base, damaged).unwrap();
    let failed = ground.run(&["backup", "drill", "--auto-approve"]);
    assert_ne!(failed.code, 0, "{}\n{}", failed.out, failed.err);
    assert!(failed.out.contains("failed"), "{}\n{}", failed.out, failed.err);
    assert_eq!(drills(), [passed.clone(), (false, label.clone())]);
    assert!(ground.run(&["backup", "list"]).expect(0).out.contains("FAILED"));
    // The ledger has it as a run that failed, with what was found.
    let shown = ground.run(&["ledger", "show"]).expect(0).out;
    // Wherever its lines are broken: the file's path is as long as the temporary folder's.
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(["backup.main.drill failed", " error: "].iter().all(|word| words.contains(word)), "{shown}");
    // It is due again at once, although one has passed a moment ago.
    fs::write(&base, &whole).unwrap();
    let again = ground.work().expect(0);
    assert!(again.out.contains("the last drill") && again.out.contains("failed"), "{}", again.out);
    assert_eq!(drills(), [passed.clone(), (false, label), passed]);
    assert!(!ground.work().expect(0).out.contains("drill"));
}

/// Who makes backups need not be allowed to read every table: a drill reads the copy as its superuser.
fn by_a_role_that_reads_nothing(ground: &mut Ground) {
    ground.set_up(&format!("{WEEKLY}verify: {{restore_drill: 7 days}}\n"));
    let mut client = ground.connect();
    client.batch_execute("CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) AS g").unwrap();
    client.batch_execute("CREATE ROLE maker LOGIN REPLICATION PASSWORD 'maker'").unwrap();
    let functions = "pg_catalog.pg_create_restore_point(text), pg_catalog.pg_switch_wal()";
    client.batch_execute(&format!("GRANT EXECUTE ON FUNCTION {functions} TO maker")).unwrap();
    let url = ground.cluster.url().replace("//postgres:postgres@", "//maker:maker@");
    let env = BTreeMap::from([("DATABASE_URL", url)]);
    let work = || ground.run_with(&["run", "backup", "--auto-approve"], &env).expect(0);
    work();
    assert!(work().out.contains("drill"));
    let listed = ground.run(&["backup", "list", "--format", "json"]).expect(0).out;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["drills"][0]["passed"], true, "{listed:#}");
    assert!(listed["drills"][0].to_string().contains("tables read"), "{listed:#}");
}

/// The superuser that initdb made may have been shut out, as servers are hardened: another one reads the copy.
fn without_the_first_superuser(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    ground.work().expect(0);
    let mut client = ground.connect();
    client.batch_execute("CREATE ROLE \"other one\" SUPERUSER LOGIN PASSWORD 'other'").unwrap();
    client.batch_execute("CREATE ROLE maker LOGIN REPLICATION PASSWORD 'maker'").unwrap();
    let functions = "pg_catalog.pg_create_restore_point(text), pg_catalog.pg_switch_wal()";
    client.batch_execute(&format!("GRANT EXECUTE ON FUNCTION {functions} TO maker")).unwrap();
    let first: String = client.query_one("SELECT rolname::text FROM pg_roles WHERE oid = 10", &[]).unwrap().get(0);
    client.batch_execute(&format!("ALTER ROLE {first} NOLOGIN")).unwrap();
    let url = ground.cluster.url().replace("//postgres:postgres@", "//maker:maker@");
    let drilled = ground.run_with(&["backup", "drill", "--auto-approve"], &BTreeMap::from([("DATABASE_URL", url)]));
    assert!(drilled.expect(0).out.contains("passed"));
    // The cluster's own end needs it.
    client.batch_execute(&format!("ALTER ROLE {first} LOGIN")).unwrap();
}
