//! Backups of a server that archives nothing: the WAL that makes one consistent is in the backup itself. And whom
//! what is brought back belongs to.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::WEEKLY;
use super::ground::{Case, Ground, in_folder};
use crate::cli::Ran;

/// The tests of all tiers.
pub const TRIALS: [Case; 6] = [
    ("with_its_own_wal", with_its_own_wal),
    ("wal_that_piles_up", wal_that_piles_up),
    ("own_wal_beside_a_writer", beside_a_writer),
    ("own_wal_that_is_newer", that_is_newer),
    ("not_inside_the_server", not_inside),
    ("a_server_that_was_left", left),
];

/// Each backup would hold all that are before it.
fn not_inside(ground: &mut Ground) {
    ground.policy_with("archive: false", "schedule: {full: '0 1 * * 0'}\n");
    let file = ground.outside("policies/backup.yaml");
    let (own, data) = (ground.inside("repository"), ground.inside("data/backups"));
    fs::write(&file, fs::read_to_string(&file).unwrap().replace(&own, &data)).unwrap();
    let refused = ground.work().expect(1);
    assert!(refused.err.contains("repository-in-data") && !ground.outside("data/backups").exists(), "{}", refused.err);
}

/// Another server, which was brought back, archives to its repository.
fn left(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    ground.work().expect(0);
    assert!(ground.work().expect(0).out.contains("Nothing is due"));
    fs::write(ground.cluster.data().join("00000002.history"), "1\t0/3000000\tno recovery target\n").unwrap();
    let repository = ground.inside("repository");
    let mut push = ground.command(&["backup", "push-wal", "--to", &repository, "00000002.history"]);
    Ran::of(&in_folder(ground, &mut push, "data")).expect(0);
    for arguments in [&["run", "backup", "--auto-approve"][..], &["backup", "run", "--auto-approve"]] {
        let told = ground.run(arguments).expect(1);
        assert!(told.err.contains("timeline-left") && told.err.contains("00000002.history"), "{}", told.err);
    }
}

fn with_its_own_wal(ground: &mut Ground) {
    ground.policy_with("archive: false", "schedule: {full: '0 1 * * 0'}\nverify: {restore_drill: 7 days}\n");
    ground.run(&["apply", "--auto-approve"]).expect(0);
    // Segments that the server has done with: each leaves a mark below pg_wal, which its manifest lists.
    let mut client = ground.connect();
    client.batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)").unwrap();
    for _ in 0..3 {
        client.batch_execute("INSERT INTO t VALUES (2); SELECT pg_switch_wal()").unwrap();
    }
    ground.work().expect(0);
    let [label]: [String; 1] = ground.labels().try_into().unwrap();
    client.batch_execute("INSERT INTO t VALUES (3)").unwrap();
    ground.run(&["backup", "verify"]).expect(0);
    assert!(ground.run(&["backup", "list"]).expect(0).out.contains("its own"));
    // It goes to its own end, and nowhere else.
    let to = ground.inside("copy");
    for more in [&[][..], &["--label", &label], &["--time", "2000-01-01 00:00:00+00"]] {
        let refused = ground.run(&[&["backup", "restore", "--to", &to], more].concat()).expect(1);
        assert!(refused.err.contains("without archived WAL") && refused.err.contains("--no-wal"), "{}", refused.err);
    }
    ground.run(&["backup", "restore", "--to", &to, "--no-wal"]).expect(0);
    let mut copy = ground.start("copy");
    assert_eq!(copy.values("SELECT x FROM t ORDER BY x"), [1, 2, 2, 2]);
    copy.client.batch_execute("INSERT INTO t VALUES (4)").unwrap();
    drop(copy);
    // It comes up again by itself, on a timeline of its own.
    assert_eq!(ground.start_again("copy").values("SELECT x FROM t ORDER BY x"), [1, 2, 2, 2, 4]);
    assert!(ground.work().expect(0).out.contains("drill"));
    assert!(ground.run(&["backup", "list"]).expect(0).out.contains("passed"));
}

/// Where WAL was archived and is no more, the server keeps it until it is restarted, and that is told until then.
fn wal_that_piles_up(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    let told = |ground: &Ground| {
        let all = [&["plan", "--detailed-exitcode"][..], &["run", "backup", "--auto-approve"], &["drift"]];
        all.map(|arguments| {
            let err = ground.run(arguments).expect(0).err;
            err.contains("warning[wal-piles-up]") && err.contains("restart the server")
        })
    };
    assert_eq!(told(ground), [false; 3]);
    ground.policy_with("archive: false", WEEKLY);
    ground.run(&["apply", "--auto-approve", "--allow", "needs_restart"]).expect(0);
    assert_eq!(told(ground), [true; 3]);
    ground.cluster.stop();
    ground.cluster.launch().unwrap();
    assert_eq!(told(ground), [false; 3]);
}

/// A server that writes more than it keeps, while a backup is made that is to have all that was written meanwhile.
fn beside_a_writer(ground: &mut Ground) {
    ground.policy_with("archive: false", WEEKLY);
    ground.run(&["apply", "--auto-approve"]).expect(0);
    let mut client = ground.connect();
    for name in ["min_wal_size", "max_wal_size"] {
        client.batch_execute(&format!("ALTER SYSTEM SET {name} = '32MB'")).unwrap();
    }
    let sql = "SELECT pg_reload_conf(); CREATE TABLE t AS SELECT g AS x, md5(g::text) FROM generate_series(1, 500000) AS g; \
               CREATE TABLE beside (x int); CHECKPOINT";
    client.batch_execute(sql).unwrap();
    let (ended, mut writer) = (AtomicBool::new(false), ground.connect());
    let mut work = |keep: &str| {
        ground.connect().batch_execute(&format!("ALTER SYSTEM SET max_slot_wal_keep_size = '{keep}'")).unwrap();
        ground.connect().batch_execute("SELECT pg_reload_conf()").unwrap();
        ended.store(false, Ordering::Release);
        thread::scope(|scope| {
            let writing = scope.spawn(|| {
                while !ended.load(Ordering::Acquire) {
                    writer.batch_execute("INSERT INTO beside VALUES (1)").unwrap();
                    writer.batch_execute("SELECT pg_switch_wal()").unwrap();
                    writer.batch_execute("CHECKPOINT").unwrap();
                }
            });
            let ran = ground.run(&["backup", "run", "--auto-approve"]);
            ended.store(true, Ordering::Release);
            writing.join().unwrap();
            ran
        })
    };
    let failed = work("16MB").expect(4).err;
    for words in ["has already been removed", "max_slot_wal_keep_size"] {
        assert!(failed.contains(words), "{words}\n{failed}");
    }
    let (_, why) = failed.split_once("error[step-failed]").unwrap();
    assert!(!why.contains("kB (") && !why.contains("checkpoint"), "only why it failed: {why}");
    let made = work("-1").expect(0);
    let slots: i64 = client.query_one("SELECT count(*) FROM pg_replication_slots", &[]).unwrap().get(0);
    assert_eq!(slots, 0, "{}", made.out);
    ground.run(&["backup", "verify"]).expect(0);
    ground.run(&["backup", "restore", "--to", &ground.inside("copy"), "--no-wal"]).expect(0);
    assert_eq!(ground.start("copy").values("SELECT count(*)::int FROM t"), [500_000]);
}

/// Nobody is brought back to the end of the archived WAL without a word where a backup with its own is newer.
fn that_is_newer(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    let mut client = ground.connect();
    client.batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)").unwrap();
    ground.work().expect(0);
    client.batch_execute("INSERT INTO t VALUES (2)").unwrap();
    ground.archive_all();
    let archived = ground.labels().remove(0);
    ground.policy_with("archive: false", WEEKLY);
    ground.run(&["apply", "--auto-approve", "--allow", "needs_restart"]).expect(0);
    drop(client);
    ground.cluster.stop();
    ground.cluster.launch().unwrap();
    let mut client = ground.connect();
    client.batch_execute("INSERT INTO t VALUES (3)").unwrap();
    // Labels have whole seconds.
    ground.run(&["backup", "run", "--auto-approve"]).expect(0);
    let alone = ground.labels().pop().unwrap();
    assert_ne!(alone, archived);
    let restore = |to: &str, more: &[&str]| {
        let to = ground.inside(to);
        ground.run(&[&["backup", "restore", "--to", &to], more].concat())
    };
    let refused = restore("latest", &[]).expect(1).err;
    for words in ["restore-impossible", &*alone, &*archived, "--no-wal", "--label"] {
        assert!(refused.contains(words), "{words}\n{refused}");
    }
    assert!(!ground.outside("latest").exists());
    restore("alone", &["--no-wal"]).expect(0);
    assert_eq!(ground.start("alone").values("SELECT x FROM t ORDER BY x"), [1, 2, 3]);
    restore("archived", &["--label", &archived]).expect(0);
    assert_eq!(ground.start("archived").values("SELECT x FROM t ORDER BY x"), [1, 2]);
    // A moment that only the archived WAL has is no question.
    let early = restore("early", &["--lsn", "FF/0"]).expect(1).err;
    assert!(!early.contains("newer"), "{early}");
}

/// What root brings back into a folder of root's is the server's user's, as the repository is.
pub fn by_root(ground: &mut Ground) {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return;
    }
    ground.set_up(WEEKLY);
    ground.work().expect(0);
    let owner = fs::metadata(ground.cluster.data()).unwrap().uid();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("restored");
    let mut restore = Command::new(ground.outside("chronoform"));
    restore.args(["backup", "restore", "--from", &ground.inside("repository"), "--color", "never", "--to"]).arg(&to);
    restore.arg("--programs").arg(ground.place.programs()).stdin(Stdio::null());
    let ran = Ran::of(&restore.output().unwrap()).expect(0);
    for file in ["", "PG_VERSION", "base/1", "postgresql.auto.conf", "recovery.signal"] {
        assert_eq!(fs::metadata(to.join(file)).unwrap().uid(), owner, "{file}");
    }
    assert!(!ran.out.contains("chown"), "{}", ran.out);
}
