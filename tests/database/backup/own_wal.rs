//! Backups of a server that archives nothing: the WAL that makes one consistent is in the backup itself. And whom
//! what is brought back belongs to.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Command, Stdio};

use super::WEEKLY;
use super::ground::Ground;
use crate::cli::Ran;

pub fn with_its_own_wal(ground: &mut Ground) {
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
