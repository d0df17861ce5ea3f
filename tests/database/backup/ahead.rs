//! What was written down by a clock that was ahead.

use std::fs;
use std::path::Path;

use chronoform::core::Fingerprint;

use super::ground::Ground;

const AHEAD: &str = "2199-01-01T00:00:00Z";

pub fn counts_for_nothing(ground: &mut Ground) {
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
        let text = fs::read_to_string(file).unwrap();
        let (before, after) = text.split_once(&format!("\"{name}\": \"")).unwrap();
        let (_, after) = after.split_once('"').unwrap();
        fs::write(file, format!("{before}\"{name}\": \"{AHEAD}\"{after}")).unwrap();
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
