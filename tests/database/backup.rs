//! Backups of real servers with WAL archiving: made, proved, drilled, expired, brought back to a moment
//! between two transactions, and found out where they are damaged.

mod ahead;
mod drilled;
mod ground;
mod holes;
mod lost;
mod own_wal;
pub mod pgbackrest;
mod s3;
mod unmounted;
mod unproved;
mod upgraded;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};

use crate::servers::cluster::Place;
use crate::servers::{Servers, Tier, trixie_root};
use ground::{Ground, in_folder, left_behind, wait};

/// The tests of a tier.
pub fn trials(tier: Tier, _servers: &Servers) -> Vec<Trial> {
    let place = match tier {
        Tier::PostgresNative => Place::native as fn() -> Result<Place, String>,
        Tier::Apache => || Place::apache(&trixie_root()?),
        _ => return Vec::new(),
    };
    let mut trials = Vec::new();
    let mut add = |name: &str, run: fn(&mut Ground)| {
        trials.push(Trial::test(format!("{tier}::backup::{name}"), move || -> Result<(), Failed> {
            let settings: &[&str] = match tier {
                Tier::Apache => &["shared_preload_libraries = 'timescaledb'", "timescaledb.telemetry_level = off"],
                _ => &[],
            };
            run(&mut Ground::new(&place()?, settings)?);
            Ok(())
        }));
    };
    add("from_a_policy_to_a_drill", from_a_policy_to_a_drill);
    add("to_a_moment_between_two_transactions", to_a_moment_between_two_transactions);
    add("damage_is_found", damage_is_found);
    add("wal_is_never_written_over", wal_is_never_written_over);
    add("what_is_no_longer_needed_goes", what_is_no_longer_needed_goes);
    add("nothing_is_restored_over_anything", nothing_is_restored_over_anything);
    add("killed_while_it_is_made", killed_while_it_is_made);
    add("an_earlier_recovery_rules_no_later_one", an_earlier_recovery_rules_no_later_one);
    drilled::TRIALS.into_iter().for_each(|(name, run)| add(name, run));
    add("the_newest_wal_is_missed", lost::newest_wal);
    add("later_than_the_last_commit", lost::later_than_the_last_commit);
    add("what_is_old_and_damaged_goes", lost::what_is_old_and_damaged_goes);
    add("nothing_is_restored_over_a_hole", holes::of_native);
    add("a_backup_is_due_past_a_hole", holes::past_one);
    own_wal::TRIALS.into_iter().chain(ahead::TRIALS).for_each(|(name, run)| add(name, run));
    if tier == Tier::Apache {
        // The only one that is new enough.
        add("incremental", incremental);
        // On the other version pgBackRest's looks at the same.
        add("on_another_timeline", on_another_timeline);
    } else {
        // Only there may root see what the server's user sees.
        add("restored_by_root", own_wal::by_root);
    }
    trials
}

const WEEKLY: &str = "schedule: {full: '0 1 * * 0'}\n";

fn from_a_policy_to_a_drill(ground: &mut Ground) {
    ground.policy(
        "schedule: {full: '0 1 * * 0'}\nverify: {checksums: 7 days, restore_drill: 7 days}\nobjectives: {rpo: 1 minute, rto: 5 minutes}\n",
    );
    let planned = ground.run(&["plan"]).expect(0);
    for words in ["archive_mode", "archive_command", "archive_timeout", "restart"] {
        assert!(planned.out.contains(words), "{words}\n{}", planned.out);
    }
    assert!(!planned.out.contains("wal_level"), "it is replica already\n{}", planned.out);
    // Nothing is called a backup before the server archives its WAL.
    let early = ground.work();
    assert!(early.code == 1 || early.code == 3, "{} {}\n{}", early.code, early.out, early.err);
    assert!(early.err.contains("backup-not-ready"), "{}", early.err);
    ground.run(&["apply", "--auto-approve", "--allow", "needs_restart"]).expect(0);
    let still = ground.work();
    assert!(still.code != 0 && still.err.contains("backup-not-ready"), "{} {}\n{}", still.code, still.out, still.err);
    ground.cluster.stop();
    ground.cluster.launch().unwrap();
    ground.run(&["plan", "--detailed-exitcode"]).expect(0);

    ground.connect().batch_execute("CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) AS g").unwrap();
    let first = ground.work().expect(0);
    assert!(first.out.contains("no full backup yet"), "{}", first.out);
    assert_eq!(ground.labels().len(), 1);
    // A drill and a reading of everything are due once there is something to do them with.
    let second = ground.work().expect(0);
    assert!(second.out.contains("drill"), "{}\n{}", second.out, second.err);
    let third = ground.work().expect(0);
    assert!(!third.out.contains("backup.main"), "{}", third.out);
    assert_eq!(ground.labels().len(), 1);

    let drills: Vec<_> = fs::read_dir(ground.repository().join("drills")).unwrap().collect();
    assert_eq!(drills.len(), 1);
    let drill = fs::read_to_string(drills[0].as_ref().unwrap().path()).unwrap();
    let drill: serde_json::Value = serde_json::from_str(&drill).unwrap();
    let checks = drill["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["fine"] == true), "{drill:#}");
    for what in ["system identifier", "relations", "extensions", "tables read"] {
        assert!(checks.iter().any(|check| check["what"] == what), "{what} {drill:#}");
    }
    // Nothing of it is left.
    let left: Vec<_> = fs::read_dir(ground.repository()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("drill-")), "{left:?}");
    let listed = ground.run(&["backup", "list"]).expect(0);
    assert!(listed.out.contains("passed") && listed.out.contains("-full"), "{}", listed.out);
    // What the ledger says of it.
    let log = ground.run(&["ledger", "log"]).expect(0);
    assert_eq!(log.out.matches("  run  ").count(), 2, "{}", log.out);
    // A table that is made later is found missing nowhere: the drill compares one moment with itself.
    ground.connect().batch_execute("CREATE TABLE later (x int)").unwrap();
    let again = ground.run(&["backup", "drill", "--auto-approve"]).expect(0);
    assert!(again.out.contains("passed"), "{}\n{}", again.out, again.err);
    let more = ground.run(&["backup", "run", "--auto-approve"]).expect(0);
    assert!(more.out.contains("asked for"), "{}", more.out);
    assert_eq!(ground.labels().len(), 2);
}

fn to_a_moment_between_two_transactions(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    let mut client = ground.connect();
    client.batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)").unwrap();
    ground.work().expect(0);
    client.batch_execute("INSERT INTO t VALUES (2)").unwrap();
    let row = client.query_one("SELECT pg_current_wal_lsn()::text, clock_timestamp()::text", &[]).unwrap();
    let (lsn, moment): (String, String) = (row.get(0), row.get(1));
    thread::sleep(Duration::from_millis(20));
    client.batch_execute("INSERT INTO t VALUES (3)").unwrap();
    ground.archive_all();
    let all = "SELECT x FROM t ORDER BY x";
    for (folder, option, value, expected) in [
        ("by_time", "--time", moment.as_str(), vec![1, 2]),
        ("by_lsn", "--lsn", lsn.as_str(), vec![1, 2]),
        ("latest", "--no-wal", "", vec![1]),
        ("all", "", "", vec![1, 2, 3]),
    ] {
        let to = ground.inside(folder);
        let mut arguments = vec!["backup", "restore", "--to", &to];
        arguments.extend([option, value].into_iter().filter(|word| !word.is_empty()));
        let programs = ground.place.programs().display().to_string();
        arguments.extend(["--programs", &programs]);
        let restored = ground.run(&arguments).expect(0);
        assert!(restored.out.contains("-full is in"), "{}", restored.out);
        let said = restored.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(said.contains("recovery ended before"), option == "--time", "{said}");
        assert_eq!(ground.start(folder).values(all), expected, "{folder}");
    }
    // Those that were started took writes, and left nothing among the live server's WAL.
    let wal = fs::read_dir(ground.repository().join("wal")).unwrap();
    let wal: Vec<String> = wal.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert!(wal.iter().all(|name| name.starts_with("00000001")), "{wal:?}");
    // The programs are the policy's where none are named, and otherwise found where packages have them.
    ground.run(&["backup", "restore", "--to", &ground.inside("by_policy")]).expect(0);
    let to = ground.inside("found");
    ground.run(&["backup", "restore", "--to", &to, "--from", &ground.inside("repository")]).expect(0);
    // Without any policy, as after a fire.
    let (to, from) = (ground.inside("bare"), ground.inside("repository"));
    let programs = ground.place.programs().display().to_string();
    ground.run(&["backup", "restore", "--to", &to, "--from", &from, "--programs", &programs]).expect(0);
    let mut bare = ground.start("bare");
    assert_eq!(bare.values(all), [1, 2, 3]);
    drop(bare);
    // Before the first backup there is nothing to go back to.
    let (to, early) = (ground.inside("early"), "2020-01-01 00:00:00+00");
    let refused = ground.run(&["backup", "restore", "--to", &to, "--time", early, "--programs", &programs]).expect(1);
    assert!(refused.err.contains("restore-impossible") && refused.err.contains("the oldest"), "{}", refused.err);
    assert!(!ground.outside("early").exists());
    // Nor is there anything beyond the end of all WAL.
    for (option, beyond) in [("--time", "2999-01-01 00:00:00+00"), ("--lsn", "FF/0")] {
        let refused = ground.run(&["backup", "restore", "--to", &to, option, beyond]).expect(1);
        assert!(refused.err.contains("restore-impossible"), "{}", refused.err);
        assert!(!ground.outside("early").exists());
    }
    // Nor into what is somebody's own.
    for inside in ["data/base/new", "repository/new"] {
        let to = ground.inside(inside);
        let refused = ground.run(&["backup", "restore", "--to", &to]).expect(1);
        assert!(refused.err.contains("restore-impossible"), "{}", refused.err);
        assert!(!ground.outside(inside).exists());
    }
    // What is not there proves nothing.
    fs::create_dir(ground.outside("nothing")).unwrap();
    let nothing = ground.run(&["backup", "verify", "--from", &ground.inside("nothing")]).expect(2);
    assert!(nothing.out.contains("There is no backup"), "{}", nothing.out);
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

fn on_another_timeline(ground: &mut Ground) {
    ground.set_up("schedule: {full: '0 1 * * 0'}\nkeep: {full: 2}\n");
    let mut client = ground.connect();
    client.batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)").unwrap();
    ground.work().expect(0);
    client.batch_execute("INSERT INTO t VALUES (2)").unwrap();
    let lsn: String = client.query_one("SELECT pg_current_wal_lsn()::text", &[]).unwrap().get(0);
    // What comes now is what the server will have left; its WAL goes on for a while.
    for _ in 0..4 {
        client.batch_execute("INSERT INTO t VALUES (3); SELECT pg_switch_wal()").unwrap();
    }
    ground.run(&["backup", "run", "--type", "full", "--auto-approve"]).expect(0);
    ground.archive_all();
    drop(client);
    ground.bring_back_in_its_place(&["--lsn", &lsn]);
    let mut client = ground.connect();
    client.batch_execute("INSERT INTO t VALUES (4)").unwrap();
    assert!(ground.archive_all().starts_with("00000002"));

    // The newest backup is of the past that was left, and is no use for what came after.
    let [first, left]: [String; 2] = ground.labels().try_into().unwrap();
    let listed = ground.run(&["backup", "list", "--format", "json"]).expect(0);
    assert_eq!(left_behind(&listed.out), [left.as_str()], "{}", listed.out);
    ground.run(&["backup", "restore", "--to", &ground.inside("latest")]).expect(0);
    assert_eq!(ground.start("latest").values("SELECT x FROM t ORDER BY x"), [1, 2, 4]);
    let drilled = ground.run(&["backup", "drill", "--auto-approve"]).expect(0);
    assert!(drilled.out.contains("passed") && drilled.out.contains(&first), "{}", drilled.out);
    // Asked for by name, it is brought back as it was.
    ground.run(&["backup", "restore", "--to", &ground.inside("left"), "--label", &left]).expect(0);
    assert_eq!(ground.start("left").values("SELECT x FROM t ORDER BY x"), [1, 2, 3, 3, 3, 3]);

    // A timeline without its history is found: a server would pass it over, and follow the one that was left.
    let history = ground.repository().join("wal/00000002.history.zst");
    let aside = ground.outside("history");
    fs::rename(&history, &aside).unwrap();
    let found = ground.run(&["backup", "verify"]).expect(2);
    assert!(found.out.contains("00000002.history"), "{}", found.out);
    fs::rename(&aside, &history).unwrap();
    // Two that can be gone back to are kept, and the one that was left is none of them.
    let allowed = ["run", "backup", "--auto-approve", "--allow", "deletes_data"];
    ground.run(&["backup", "run", "--type", "full", "--auto-approve"]).expect(0);
    client.batch_execute("INSERT INTO t VALUES (5)").unwrap();
    ground.archive_all();
    ground.run(&allowed).expect(0);
    assert_eq!(ground.labels().len(), 3);
    ground.run(&["backup", "verify"]).expect(0);
    ground.run(&["backup", "restore", "--to", &ground.inside("again")]).expect(0);
    assert_eq!(ground.start("again").values("SELECT x FROM t ORDER BY x"), [1, 2, 4, 5]);
    // It goes with what is older, and takes no WAL with it that others need: their numbers are lower.
    ground.run(&["backup", "run", "--type", "full", "--auto-approve"]).expect(0);
    ground.run(&allowed).expect(0);
    let kept = ground.labels();
    assert!(kept.len() == 2 && !kept.contains(&first) && !kept.contains(&left), "{kept:?}");
    ground.run(&["backup", "verify"]).expect(0);
    ground.run(&["backup", "restore", "--to", &ground.inside("third"), "--label", &kept[0]]).expect(0);
    assert_eq!(ground.start("third").values("SELECT x FROM t ORDER BY x"), [1, 2, 4, 5]);
}

fn damage_is_found(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    ground
        .connect()
        .batch_execute("CREATE TABLE t AS SELECT g, md5(g::text) FROM generate_series(1, 20000) AS g")
        .unwrap();
    ground.work().expect(0);
    ground.archive_all();
    ground.connect().batch_execute("INSERT INTO t VALUES (0, 'x')").unwrap();
    let middle = ground.archive_all();
    ground.connect().batch_execute("INSERT INTO t VALUES (0, 'y')").unwrap();
    ground.archive_all();
    let whole = ground.run(&["backup", "verify"]).expect(0);
    assert!(whole.out.contains("Proved 1 backup"), "{}", whole.out);

    let label = ground.labels().remove(0);
    let folder = ground.repository().join("backups").join(&label);
    let segment = ground.repository().join("wal").join(&middle[..16]).join(format!("{middle}.zst"));
    let base = folder.join("base.tar.zst");
    let length = fs::metadata(&base).unwrap().len() as usize;
    let found = |what: &str, expected: &str| {
        let found = ground.run(&["backup", "verify"]).expect(2);
        assert!(found.out.contains(expected), "{what}: {}", found.out);
        assert!(found.out.contains("cannot be trusted"), "{what}: {}", found.out);
    };
    let with = |path: &Path, expected: &str, change: &dyn Fn(&Path)| {
        let before = fs::read(path).unwrap();
        change(path);
        found(&path.display().to_string(), expected);
        fs::write(path, before).unwrap();
    };
    for at in [0, 10, length / 3, length / 2, length - 20, length - 1] {
        with(&base, "base.tar.zst", &|path| flip(path, at));
    }
    // What was found counts for nothing until it is found whole again: another one is due.
    let before = fs::read(&base).unwrap();
    flip(&base, length / 2);
    ground.run(&["backup", "verify"]).expect(2);
    let due = ground.run(&["run", "backup", "--dry-run"]);
    assert!(due.out.contains("no full backup"), "{}", due.out);
    assert_eq!(ground.run(&["backup", "list"]).code, 2);
    fs::write(&base, before).unwrap();
    ground.run(&["backup", "verify"]).expect(0);
    assert!(!ground.run(&["run", "backup", "--dry-run"]).out.contains("no full backup"));
    with(&base, "base.tar.zst", &|path| {
        let file = fs::OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(length as u64 / 2).unwrap();
    });
    with(&folder.join("backup_manifest"), "manifest", &|path| flip(path, 500));
    with(&folder.join("backup.json"), "backup.json", &|path| {
        let text = fs::read_to_string(path).unwrap();
        fs::write(path, text.replacen("\"has_wal\": false", "\"has_wal\": true", 1)).unwrap();
    });
    let size = fs::metadata(&segment).unwrap().len() as usize;
    for at in [0, size / 2, size - 1] {
        with(&segment, &middle, &|path| flip(path, at));
    }
    // Another segment in its place is whole, and is another.
    let mut others = fs::read_dir(segment.parent().unwrap()).unwrap().map(|entry| entry.unwrap().path());
    let other = others
        .find(|path| {
            *path != segment && path.to_string_lossy().ends_with(".zst") && !path.to_string_lossy().contains(".backup")
        })
        .unwrap();
    with(&segment, &middle, &|path| _ = fs::copy(&other, path).unwrap());
    // A segment that is gone is a gap.
    with(&segment, "missing", &|path| fs::remove_file(path).unwrap());
    // A server that asks for WAL that is damaged is told to stop, and not that there is no more.
    flip(&segment, size / 2);
    let to = ground.inside("damaged");
    let programs = ground.place.programs().display().to_string();
    ground.run(&["backup", "restore", "--to", &to, "--programs", &programs]).expect(0);
    let mut fetch =
        ground.command(&["backup", "fetch-wal", "--from", &ground.inside("repository"), &middle, "pg_wal/X"]);
    let fetch = fetch.arg("--quiet");
    let output = in_folder(ground, fetch, "damaged");
    assert_eq!(output.status.code(), Some(200), "{}", String::from_utf8_lossy(&output.stderr));
    let mut missing = ground.command(&[
        "backup",
        "fetch-wal",
        "--from",
        &ground.inside("repository"),
        "00000001000000FF00000001",
        "pg_wal/X",
    ]);
    assert_eq!(in_folder(ground, &mut missing, "damaged").status.code(), Some(1));
    // One that may not look is not told that there is none.
    let closed = segment.parent().unwrap();
    fs::set_permissions(closed, fs::Permissions::from_mode(0o000)).unwrap();
    let mut closed_fetch =
        ground.command(&["backup", "fetch-wal", "--from", &ground.inside("repository"), &middle, "pg_wal/X"]);
    assert_eq!(in_folder(ground, &mut closed_fetch, "damaged").status.code(), Some(200));
    fs::set_permissions(closed, fs::Permissions::from_mode(0o700)).unwrap();
    // Nor is one that is started in another way than this version knows.
    let mut unknown = ground.command(&["backup", "fetch-wal", "--form", &ground.inside("repository"), &middle]);
    assert_eq!(in_folder(ground, &mut unknown, "damaged").status.code(), Some(200));
    // One whose repository is not mounted, too.
    let mut nowhere =
        ground.command(&["backup", "fetch-wal", "--from", &ground.inside("elsewhere"), &middle, "pg_wal/X"]);
    assert_eq!(in_folder(ground, &mut nowhere, "damaged").status.code(), Some(200));
    flip(&segment, size / 2);
    ground.run(&["backup", "verify"]).expect(0);
    // A backup of which a file is gone.
    fs::remove_file(&base).unwrap();
    found("no base", "missing");
    // A repository that does not know what it has offers nothing as restored.
    let to = ground.inside("never");
    let refused = ground.run(&["backup", "restore", "--to", &to, "--programs", &programs]);
    assert!(refused.code == 1 && !ground.outside("never").exists(), "{}", refused.err);
}

fn wal_is_never_written_over(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    ground.connect().batch_execute("CREATE TABLE t (x int)").unwrap();
    let segment = ground.archive_all();
    let stored = ground.repository().join("wal").join(&segment[..16]).join(format!("{segment}.zst"));
    let before = fs::read(&stored).unwrap();
    // The same once more is fine: a server that crashed sends its last segment again.
    let local = ground.cluster.data().join("pg_wal").join(&segment);
    let copy = ground.outside("data").join("again");
    fs::create_dir_all(&copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    let bytes = fs::read(&local).unwrap();
    let push = |bytes: &[u8], name: &str| {
        fs::write(copy.join(name), bytes).unwrap();
        fs::set_permissions(copy.join(name), fs::Permissions::from_mode(0o644)).unwrap();
        let file = format!("again/{name}");
        let mut command = ground.command(&["backup", "push-wal", "--to", &ground.inside("repository"), &file]);
        in_folder(ground, &mut command, "data")
    };
    assert_eq!(push(&bytes, &segment).status.code(), Some(0));
    // Others of the same name are not.
    let mut other = bytes.clone();
    let end = other.len() - 1;
    other[end] ^= 1;
    let refused = push(&other, &segment);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("not written over"), "{said}");
    assert!(push(&bytes[..1 << 20], &segment).status.code() == Some(1));
    assert_eq!(fs::read(&stored).unwrap(), before);
    // WAL of another cluster is found by what it says of itself.
    let mut foreign = bytes.clone();
    foreign[24] ^= 1;
    let refused = push(&foreign, "0000000100000000000000F0");
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && said.contains("of the cluster"), "{said}");
    for name in ["passwd", "..", "000000010000000000000001.exe", "0000000g0000000000000001"] {
        if name != ".." {
            let refused = push(&bytes, name);
            assert_eq!(refused.status.code(), Some(1), "{name}");
        }
    }
    // What two of them bring at once is there once, whole.
    let mut later = bytes.clone();
    later[8..16].copy_from_slice(&(0xe0_u64 << 24).to_ne_bytes());
    fs::write(copy.join("0000000100000000000000E0"), &later).unwrap();
    let started: Vec<Child> = (0..4)
        .map(|_| {
            let mut command = ground.command(&[
                "backup",
                "push-wal",
                "--to",
                &ground.inside("repository"),
                "again/0000000100000000000000E0",
            ]);
            let mut words = vec![command.get_program().to_string_lossy().into_owned()];
            words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
            let at = words.iter().position(|word| word.ends_with("/chronoform")).unwrap();
            let script = format!("cd '{}' && exec '{}'", ground.inside("data"), words[at..].join("' '"));
            command = ground.place.command("sh");
            command.args(["-c", &script]).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in started {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    let left: Vec<String> = fs::read_dir(stored.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".partial"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

fn what_is_no_longer_needed_goes(ground: &mut Ground) {
    ground.set_up("schedule: {full: '0 1 * * 0'}\nkeep: {full: 2}\n");
    for _ in 0..4 {
        ground.connect().batch_execute("CREATE TABLE IF NOT EXISTS t (x int); INSERT INTO t VALUES (1)").unwrap();
        ground.run(&["backup", "run", "--auto-approve"]).expect(0);
        // Labels tell seconds.
        thread::sleep(Duration::from_millis(1100));
    }
    let before = ground.labels();
    assert_eq!(before.len(), 4);
    let due = ground.run(&["run", "backup", "--dry-run"]).expect(0);
    assert!(due.out.contains("2 backups are no longer needed"), "{}", due.out);
    ground.work().expect(0);
    assert_eq!(ground.labels(), before[2..]);
    ground.run(&["backup", "verify"]).expect(0);
    let kept = fs::read_to_string(ground.repository().join("backups").join(&before[2]).join("backup.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    let from = kept["wal"][0]["from"].as_str().unwrap();
    let row = ground.connect().query_one("SELECT pg_walfile_name($1::text::pg_lsn)", &[&from]).unwrap();
    let first: String = row.get(0);
    let folder = ground.repository().join("wal").join(&first[..16]);
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert!(names[0].starts_with(&first), "{names:?} {first}");
    // With a span of time to go back in, all of them are needed.
    ground.policy("schedule: {full: '0 1 * * 0'}\nkeep: {full: 1, wal: 14 days}\n");
    ground.work().expect(0);
    assert_eq!(ground.labels(), before[2..]);
}

fn nothing_is_restored_over_anything(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    ground.work().expect(0);
    let programs = ground.place.programs().display().to_string();
    let restore = |to: &str| {
        let to = ground.inside(to);
        ground.run(&["backup", "restore", "--to", &to, "--programs", &programs])
    };
    let before = fs::read(ground.cluster.data().join("PG_VERSION")).unwrap();
    let refused = restore("data").expect(1);
    assert!(refused.err.contains("is the folder of a server that runs"), "{}", refused.err);
    assert_eq!(fs::read(ground.cluster.data().join("PG_VERSION")).unwrap(), before);
    let full = ground.outside("full");
    fs::create_dir(&full).unwrap();
    fs::write(full.join("mine"), "x").unwrap();
    let refused = restore("full").expect(1);
    assert!(refused.err.contains("is not empty"), "{}", refused.err);
    assert_eq!(fs::read_dir(&full).unwrap().count(), 1);
    for kept in ["repository", "repository/y", "policies/../repository/y"] {
        assert!(restore(kept).expect(1).err.contains("where backups are kept"), "{kept}");
    }
    restore("new").expect(0);
    // Once more is over something.
    restore("new").expect(1);
}

/// Whenever it is killed, there is no backup that is none, and the next run makes one.
fn killed_while_it_is_made(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    ground
        .connect()
        .batch_execute("CREATE TABLE t AS SELECT g, md5(g::text) FROM generate_series(1, 50000) AS g")
        .unwrap();
    let (ledger, policies) = (ground.inside("ledger.db"), ground.inside("policies"));
    for after in [150, 300, 500, 700, 900, 1200] {
        let arguments = ["backup", "run", "--auto-approve", "--ledger", &ledger, "--policies", &policies, "--quiet"];
        let mut child = ground.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(after));
        let _ = child.kill();
        child.wait().unwrap();
        let listed = ground.run(&["backup", "list", "--format", "json"]).expect(0);
        let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
        let whole = listed["backups"].as_array().unwrap().len();
        let verified = ground.run(&["backup", "verify", "--format", "json"]);
        assert_eq!(verified.code, if whole == 0 { 2 } else { 0 }, "after {after} ms: {}", verified.out);
        let named = ground.labels().iter().filter(|label| !label.starts_with("unfinished-")).count();
        assert_eq!(whole, named);
    }
    wait("what the killed ones left running", || {
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name IN ('pg_basebackup', 'chronoform')";
        let row = ground.connect().query_one(sql, &[]).unwrap();
        row.get::<_, i64>(0) == 0
    });
    ground.run(&["backup", "run", "--auto-approve"]).expect(0);
    assert!(ground.labels().iter().all(|label| !label.starts_with("unfinished-")), "{:?}", ground.labels());
    ground.run(&["backup", "verify"]).expect(0);
}

/// A server that was restored once keeps what its recovery was told, and each backup of it has that, too.
fn an_earlier_recovery_rules_no_later_one(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    let auto = ground.cluster.data().join("postgresql.auto.conf");
    let before = fs::read_to_string(&auto).unwrap();
    let told = "recovery_target = 'immediate'\nrecovery_target_action = 'promote'\nrestore_command = 'false'\n";
    fs::write(&auto, before + told).unwrap();
    let mut client = ground.connect();
    client.batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)").unwrap();
    ground.work().expect(0);
    client.batch_execute("INSERT INTO t VALUES (2)").unwrap();
    let row = client.query_one("SELECT pg_current_wal_lsn()::text", &[]).unwrap();
    let lsn: String = row.get(0);
    client.batch_execute("INSERT INTO t VALUES (3)").unwrap();
    ground.archive_all();
    let programs = ground.place.programs().display().to_string();
    for (folder, target, expected) in [("latest", vec![], vec![1, 2, 3]), ("by_lsn", vec!["--lsn", &lsn], vec![1, 2])] {
        let to = ground.inside(folder);
        let mut arguments = vec!["backup", "restore", "--to", &to, "--programs", &programs];
        arguments.extend(target);
        ground.run(&arguments).expect(0);
        assert_eq!(ground.start(folder).values("SELECT x FROM t ORDER BY x"), expected, "{folder}");
    }
    ground.run(&["backup", "drill", "--auto-approve"]).expect(0);
}

fn incremental(ground: &mut Ground) {
    ground.set_up("schedule: {full: '0 1 * * 0', incremental: '0 1 * * 1-6'}\n");
    let mut client = ground.connect();
    client.batch_execute("CREATE TABLE t AS SELECT g AS x FROM generate_series(1, 100000) AS g").unwrap();
    ground.work().expect(0);
    let mut sums = Vec::new();
    for round in 1..=2 {
        client.batch_execute(&format!("UPDATE t SET x = x + 1 WHERE x % 100 = {round}; CHECKPOINT")).unwrap();
        thread::sleep(Duration::from_millis(1100));
        ground.run(&["backup", "run", "--type", "incremental", "--auto-approve"]).expect(0);
        let row = client.query_one("SELECT sum(x)::text FROM t", &[]).unwrap();
        sums.push(row.get::<_, String>(0));
    }
    let labels = ground.labels();
    assert_eq!(labels.len(), 3);
    ground.run(&["backup", "verify"]).expect(0);
    let size =
        |label: &str| fs::metadata(ground.repository().join("backups").join(label).join("base.tar.zst")).unwrap().len();
    assert!(size(&labels[1]) * 2 < size(&labels[0]), "{} {}", size(&labels[1]), size(&labels[0]));
    let programs = ground.place.programs().display().to_string();
    for (at, label) in labels[1..].iter().enumerate() {
        let folder = format!("restored{at}");
        let to = ground.inside(&folder);
        ground
            .run(&["backup", "restore", "--to", &to, "--label", label, "--no-wal", "--programs", &programs])
            .expect(0);
        let mut restored = ground.start(&folder);
        let row = restored.client.query_one("SELECT sum(x)::text FROM t", &[]).unwrap();
        assert_eq!(row.get::<_, String>(0), sums[at]);
        assert!(!ground.outside(&format!("{folder}.parts")).exists());
    }
    let drilled = ground.run(&["backup", "drill", "--auto-approve"]).expect(0);
    assert!(drilled.out.contains("passed") && drilled.out.contains("-incremental"), "{}", drilled.out);
}
