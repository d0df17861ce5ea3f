//! What was written down by a clock that was ahead, or behind.

use std::fs;
use std::path::Path;

use chronoform::core::Fingerprint;

use super::ground::{Case, Ground};

const AHEAD: &str = "2199-01-01T00:00:00Z";

/// The tests of all tiers.
pub const TRIALS: [Case; 2] =
    [("a_clock_that_was_ahead", counts_for_nothing), ("a_clock_that_was_behind", behind_is_no_moment)];

fn counts_for_nothing(ground: &mut Ground) {
    ground
        .set_up("schedule: {full: '0 1 * * 0'}\nkeep: {full: 1}\nverify: {checksums: 7 days, restore_drill: 7 days}\n");
    ground.work().expect(0);
    ground.work().expect(0);
    assert!(!ground.work().expect(0).out.contains("backup.main"));
    // As that very run leaves it where the clock of its machine is ahead.
    let [label]: [String; 1] = ground.labels().try_into().unwrap();
    let record = ground.repository().join("backups").join(&label).join("backup.json");
    let drills = fs::read_dir(ground.repository().join("drills")).unwrap();
    let [drill]: [_; 1] = drills.map(|entry| entry.unwrap().path()).collect::<Vec<_>>().try_into().unwrap();
    let verified = ground.repository().join("verified.json");
    for (file, name) in [(&record, "started"), (&record, "stopped"), (&drill, "started"), (&verified, "at")] {
        rewrite(file, name, AHEAD);
    }
    seal(&record);
    let told = |said: &str| {
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = ["backup-of-the-future", &label, "the drill of 2199-01-01", "read again on 2199-01-01"];
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    };
    let listed = ground.run(&["backup", "list"]).expect(0);
    told(&listed.err);
    assert!(listed.out.contains("never drilled"), "{}", listed.out);
    let json = ground.run(&["backup", "list", "--format", "json"]).expect(0).out;
    assert_eq!(json.matches("\"of_the_future\": true").count(), 2, "{json}");
    // Everything is due again, and nothing goes for the sake of what is of the future.
    let due = ground.run(&["run", "backup", "--dry-run"]).expect(0);
    told(&due.err);
    assert!(due.out.contains("no full backup yet"), "{}", due.out);
    ground.connect().batch_execute("CREATE TABLE t (x int)").unwrap();
    ground.work().expect(0);
    let due = ground.work().expect(0);
    for words in ["a drill passed last: never", "read again last: never"] {
        assert!(due.out.contains(words), "{words}: {}", due.out);
    }
    let second = ground.labels();
    assert_eq!(second.len(), 2);
    let again = ground.work().expect(0);
    assert!(again.err.contains("backup-of-the-future") && !again.out.contains("backup.main"), "{}", again.out);
    assert_eq!(ground.labels(), second);
    // The newest is what has the newest WAL, and what is drilled is told.
    let drilled = ground.run(&["backup", "drill", "--auto-approve"]).expect(0);
    assert!(drilled.out.contains("passed") && drilled.out.contains(&second[1]), "{}", drilled.out);
    let listed = ground.run(&["backup", "list"]).expect(0);
    assert!(listed.err.contains(&label) && !listed.err.contains("read again on"), "{}", listed.err);
    assert!(listed.out.contains("passed"), "{}", listed.out);
    // What is kept is counted without it.
    ground.run(&["backup", "run", "--auto-approve"]).expect(0);
    let third = ground.labels();
    assert_eq!(third.len(), 3);
    assert!(ground.work().expect(0).out.contains(&format!("1 backup is no longer needed: {}", second[1])));
    assert_eq!(ground.labels(), [label.as_str(), &third[2]]);
    ground.run(&["backup", "verify"]).expect(0);
}

/// A machine whose clock is minutes behind makes a backup that seems to have been done before what it has was committed:
/// a moment is gone back to by the server's clock, which tells that of its commits.
fn behind_is_no_moment(ground: &mut Ground) {
    ground.set_up(super::WEEKLY);
    let mut client = ground.connect();
    client.batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)").unwrap();
    ground.work().expect(0);
    client.batch_execute("INSERT INTO t VALUES (2)").unwrap();
    let moment: String = client.query_one("SELECT clock_timestamp()::text", &[]).unwrap().get(0);
    client.batch_execute("SELECT pg_sleep(0.02); INSERT INTO t VALUES (3)").unwrap();
    ground.run(&["backup", "run", "--auto-approve"]).expect(0);
    client.batch_execute("INSERT INTO t VALUES (4)").unwrap();
    ground.archive_all();
    let labels = ground.labels();
    let [first, second] = [0, 1].map(|at| ground.repository().join("backups").join(&labels[at]).join("backup.json"));
    let text = fs::read_to_string(first).unwrap();
    let stopped = text.split_once("\"stopped\": \"").unwrap().1.split_once('"').unwrap().0;
    for name in ["started", "stopped"] {
        rewrite(&second, name, stopped);
    }
    seal(&second);
    ground.run(&["backup", "verify"]).expect(0);
    ground.run(&["backup", "restore", "--to", &ground.inside("early"), "--time", &moment]).expect(0);
    assert_eq!(ground.start("early").values("SELECT x FROM t ORDER BY x"), [1, 2]);
    ground.run(&["backup", "restore", "--to", &ground.inside("all")]).expect(0);
    assert_eq!(ground.start("all").values("SELECT x FROM t ORDER BY x"), [1, 2, 3, 4]);
}

/// Writes another text for what a record says.
fn rewrite(file: &Path, name: &str, value: &str) {
    let text = fs::read_to_string(file).unwrap();
    let (before, after) = text.split_once(&format!("\"{name}\": \"")).unwrap();
    let (_, after) = after.split_once('"').unwrap();
    fs::write(file, format!("{before}\"{name}\": \"{value}\"{after}")).unwrap();
}

/// Gives a record the digest of what is in it.
fn seal(file: &Path) {
    let text = fs::read_to_string(file).unwrap();
    let (before, after) = text.split_once("\"digest\": \"").unwrap();
    let (_, after) = after.split_once('"').unwrap();
    let open = format!("{before}\"digest\": \"\"{after}");
    let mut inside = false;
    // No string in it has a quote of its own.
    let compact = open.chars().filter(|c| {
        inside ^= *c == '"';
        inside || !c.is_whitespace()
    });
    let digest = Fingerprint::of(compact.collect::<String>().as_bytes());
    fs::write(file, format!("{before}\"digest\": \"{}\"{after}", digest.as_str())).unwrap();
}
