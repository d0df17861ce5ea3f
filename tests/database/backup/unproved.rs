//! What pgBackRest has made and nobody has read back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::WEEKLY;
use super::pgbackrest::Rest;

/// Those that count.
fn listed(rest: &Rest) -> Vec<String> {
    let listed = rest.run(&["backup", "list", "--format", "json"]).expect(0);
    let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    let all = listed["backups"].as_array().unwrap();
    all.iter().map(|line| line["label"].as_str().unwrap().to_owned()).collect()
}

fn marker(rest: &Rest) -> PathBuf {
    rest.ground.outside("rest/unproved.json")
}

/// It counts for nothing, keeps nothing from going and takes nothing along; once all was read, it counts.
pub fn counts_for_nothing(rest: &mut Rest) {
    rest.set_up("schedule: {full: '0 1 * * 0'}\nkeep: {full: 1}\n");
    let full = || rest.run(&["backup", "run", "--type", "full", "--auto-approve"]);
    full().expect(0);
    full().expect(0);
    // As one leaves it that was ended before it had read everything back.
    let sql = r#"SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#;
    let since: String = rest.ground.connect().query_one(sql, &[]).unwrap().get(0);
    fs::write(marker(rest), format!(r#"{{"since": "{since}"}}"#)).unwrap();
    rest.rest(&["backup", "--type=full"]);
    let labels = rest.labels();
    assert_eq!(labels.len(), 3);
    assert_eq!(listed(rest), labels[..2]);
    let planned = rest.run(&["run", "backup", "--dry-run"]).expect(0);
    assert!(planned.out.contains(&format!("1 backup is no longer needed: {}", labels[0])), "{}", planned.out);
    rest.work().expect(0);
    assert_eq!(rest.labels(), labels[1..]);
    assert_eq!(listed(rest), labels[1..2]);
    let info: serde_json::Value = serde_json::from_str(&rest.rest(&["info", "--output=json"])).unwrap();
    assert_eq!(info[0]["archive"][0]["min"], info[0]["backup"][0]["archive"]["start"], "WAL goes with it");
    rest.run(&["backup", "verify"]).expect(0);
    assert!(!marker(rest).exists());
    assert_eq!(listed(rest), labels[1..]);
    rest.work().expect(0);
    assert_eq!(rest.labels(), labels[2..]);
}

/// Who finds another at work has made nothing, and what that makes is not for it to read.
pub fn another_is_at_work(rest: &mut Rest) {
    rest.set_up(WEEKLY);
    let full = || rest.run(&["backup", "run", "--type", "full", "--auto-approve"]);
    full().expect(0);
    let path = rest.ground.outside("rest/run/main-backup.lock");
    let lock = fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    lock.lock().unwrap();
    let busy = full();
    assert!(busy.code != 0 && busy.err.contains("another pgBackRest is at work"), "{} {}", busy.code, busy.err);
    assert!(!marker(rest).exists());
    drop(lock);
    rest.rest(&["backup", "--type=full"]);
    assert_eq!(listed(rest).len(), 2);
}
