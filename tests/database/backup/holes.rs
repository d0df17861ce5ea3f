//! WAL that is missing between other WAL, or where a timeline begins: found, and not restored over.

use std::fs;

use super::WEEKLY;
use super::ground::{Ground, wait};
use super::lost::Backed;
use super::pgbackrest::Rest;

pub fn of_native(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    holes(ground);
}

pub fn of_pgbackrest(rest: &mut Rest) {
    rest.set_up(WEEKLY);
    holes(rest);
}

/// It is refused with words that name what is missing. Gives the place that it can be brought back to.
fn refused(it: &mut dyn Backed, more: &[&str], missing: &str) -> String {
    let to = it.ground().inside("never");
    let refused = it.run(&[&["backup", "restore", "--to", &to], more].concat()).expect(1);
    assert!(!it.ground().outside("never").exists());
    let said = refused.err.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["restore-impossible", missing, "does not come back"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    said.split_once("`--lsn ").unwrap_or_else(|| panic!("{said}")).1.split('`').next().unwrap().to_owned()
}

/// It is brought back, and has so many rows.
fn restored(it: &mut dyn Backed, folder: &str, more: &[&str], rows: usize) {
    let to = it.ground().inside(folder);
    it.run(&[&["backup", "restore", "--to", &to], more].concat()).expect(0);
    assert_eq!(it.ground().start(folder).values("SELECT x FROM t"), vec![1; rows], "{folder}");
}

fn holes(it: &mut dyn Backed) {
    it.work().expect(0);
    let three = [(); 3].map(|()| it.archive_all());
    let moment = "SELECT clock_timestamp()::text, pg_current_wal_lsn()::text";
    let row = it.ground().connect().query_one(moment, &[]).unwrap();
    let (time, lsn): (String, String) = (row.get(0), row.get(1));
    it.archive_all();
    // Between others.
    let file = it.stored(&three[1]);
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let before = refused(it, &[], &three[1]);
    assert_eq!(refused(it, &["--time", &time], &three[1]), before);
    assert_eq!(refused(it, &["--lsn", &lsn], &three[1]), before);
    restored(it, "before", &["--lsn", &before], 1);
    fs::write(&file, &whole).unwrap();
    restored(it, "whole", &[], 4);
    // Where a timeline begins.
    it.ground().bring_back_in_its_place(&["--lsn", &lsn]);
    it.run(&["apply", "--auto-approve"]).expect(0);
    let first = it.archive_all();
    it.archive_all();
    assert!(first.starts_with("00000002"), "{first}");
    it.run(&["backup", "verify"]).expect(0);
    let file = it.stored(&first);
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    let found = it.run(&["backup", "verify"]).expect(2);
    assert!(found.out.contains(&first) && found.out.contains("it and 0 more are missing"), "{}", found.out);
    let before = refused(it, &[], &first);
    restored(it, "early", &["--lsn", &before], 3);
    fs::write(&file, &whole).unwrap();
    it.run(&["backup", "verify"]).expect(0);
    restored(it, "all", &[], 5);
    // A backup that is named goes to no moment before its own end.
    it.run(&["backup", "run", "--auto-approve"]).expect(0);
    let listed = it.run(&["backup", "list", "--format", "json"]).expect(0).out;
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    let label = listed["backups"].as_array().and_then(|all| all.last()).unwrap()["label"].as_str().unwrap().to_owned();
    let to = it.ground().inside("never");
    for more in [["--time", &time], ["--lsn", &lsn]] {
        let refused = it.run(&[&["backup", "restore", "--to", &to, "--label", &label], &more[..]].concat()).expect(1);
        let said = refused.err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("restore-impossible") && said.contains("was not done before"), "{said}");
    }
}

pub fn past_one(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    due_past_one(ground);
}

pub fn past_one_of_pgbackrest(rest: &mut Rest) {
    rest.set_up(WEEKLY);
    due_past_one(rest);
}

/// Where WAL did not come for a while, and comes again, nothing goes on from before: a backup is due at once.
fn due_past_one(it: &mut dyn Backed) {
    it.work().expect(0);
    it.archive_all();
    assert!(it.work().expect(0).out.contains("Nothing is due."));
    // As somebody leaves it who has switched archiving off for a day.
    let mut client = it.ground().connect();
    let command = |client: &mut postgres::Client, value: &str| {
        client.batch_execute(&format!("ALTER SYSTEM SET archive_command = '{}'", value.replace('\'', "''"))).unwrap();
        client.batch_execute("SELECT pg_reload_conf()").unwrap();
        wait("the server to read that", || {
            client.query_one("SELECT current_setting('archive_command')", &[]).unwrap().get::<_, String>(0) == value
        });
    };
    let own: String = client.query_one("SELECT current_setting('archive_command')", &[]).unwrap().get(0);
    command(&mut client, "/bin/true");
    let sql = "SELECT pg_walfile_name(pg_create_restore_point('x')), pg_switch_wal()::text";
    let missing: String = client.query_one(sql, &[]).unwrap().get(0);
    it.ground().says_archived(&missing);
    command(&mut client, &own);
    it.archive_all();
    let due = it.run(&["run", "backup", "--dry-run"]).expect(0);
    assert!(due.out.contains(&format!("WAL {missing} is missing")), "{}\n{}", due.out, due.err);
    assert!(it.work().expect(0).out.contains("full"));
    let segment = it.archive_all();
    assert!(it.work().expect(0).out.contains("Nothing is due."), "{segment}");
    let to = it.ground().inside("later");
    it.run(&["backup", "restore", "--to", &to]).expect(0);
    assert_eq!(it.ground().start("later").values("SELECT x FROM t"), [1, 1, 1]);
}
