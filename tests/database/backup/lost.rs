//! What is gone: the newest WAL, WAL of long ago, backups that are to go in any case; and moments that no WAL has.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::ground::Ground;
use super::pgbackrest::{Rest, flip};
use super::{WEEKLY, pgbackrest};
use crate::cli::Ran;

/// A server with backups of either engine.
pub trait Backed {
    fn ground(&mut self) -> &mut Ground;
    fn work(&self) -> Ran;
    fn run(&self, arguments: &[&str]) -> Ran;
    /// Writes something, and gives the segment that has it, which is in the repository.
    fn archive_all(&self) -> String;
    fn stored(&self, segment: &str) -> PathBuf;
    /// A large file of a backup.
    fn file_of(&self, label: &str) -> PathBuf;
}

impl Backed for Ground {
    fn ground(&mut self) -> &mut Ground {
        self
    }

    fn work(&self) -> Ran {
        Ground::work(self)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ground::run(self, arguments)
    }

    fn archive_all(&self) -> String {
        commit(self);
        Ground::archive_all(self)
    }

    fn stored(&self, segment: &str) -> PathBuf {
        self.repository().join("wal").join(&segment[..16]).join(format!("{segment}.zst"))
    }

    fn file_of(&self, label: &str) -> PathBuf {
        self.repository().join("backups").join(label).join("base.tar.zst")
    }
}

impl Backed for Rest {
    fn ground(&mut self) -> &mut Ground {
        &mut self.ground
    }

    fn work(&self) -> Ran {
        Rest::work(self)
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Rest::run(self, arguments)
    }

    fn archive_all(&self) -> String {
        commit(&self.ground);
        Rest::archive_all(self)
    }

    fn stored(&self, segment: &str) -> PathBuf {
        Rest::stored(self, segment).unwrap()
    }

    fn file_of(&self, label: &str) -> PathBuf {
        let mut stored = Vec::new();
        pgbackrest::files(&self.store.join("backup/main").join(label).join("pg_data/base"), &mut stored);
        stored.into_iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap()
    }
}

fn commit(ground: &Ground) {
    ground.connect().batch_execute("CREATE TABLE IF NOT EXISTS t (x int); INSERT INTO t VALUES (1)").unwrap();
}

pub fn newest_wal(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    newest(ground);
}

pub fn newest_wal_of_pgbackrest(rest: &mut Rest) {
    rest.set_up(WEEKLY);
    newest(rest);
}

/// The server was told that its newest WAL is kept, and the repository has it no more.
fn newest(it: &mut dyn Backed) {
    it.work().expect(0);
    let archived = |it: &mut dyn Backed| {
        let segment = it.archive_all();
        it.ground().says_archived(&segment);
        segment
    };
    let segment = archived(it);
    // A server that commits nothing archives nothing, and nothing is wrong with that.
    assert!(it.work().expect(0).out.contains("Nothing is due."));
    it.run(&["backup", "verify"]).expect(0);
    let file = it.stored(&segment);
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    for arguments in [&["run", "backup", "--auto-approve"][..], &["run", "backup", "--dry-run"]] {
        let told = it.run(arguments).expect(1);
        for words in ["wal-lost", &segment, "chronoform backup run --type full", "cannot be brought back"] {
            assert!(told.err.contains(words), "{words}: {}", told.err);
        }
    }
    assert!(it.run(&["backup", "verify"]).expect(2).out.contains(&segment));
    fs::write(&file, &whole).unwrap();
    it.work().expect(0);
    it.run(&["backup", "verify"]).expect(0);
    // What is to be done then mends it.
    fs::remove_file(&file).unwrap();
    let mended = it.run(&["backup", "run", "--type", "full", "--auto-approve"]).expect(0);
    assert!(mended.err.contains("wal-lost"), "{}", mended.err);
    assert!(!it.work().expect(0).err.contains("wal-lost"));
    fs::write(&file, &whole).unwrap();
    // A server that has forgotten what it archived says nothing, nor does one that is not there.
    let segment = archived(it);
    let file = it.stored(&segment);
    let whole = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    it.work().expect(1);
    it.ground().connect().batch_execute("SELECT pg_stat_reset_shared('archiver')").unwrap();
    it.work().expect(0);
    fs::write(&file, &whole).unwrap();
    it.ground().cluster.stop();
    let unasked = it.run(&["backup", "verify"]).expect(0);
    assert!(unasked.err.contains("wal-not-asked"), "{}", unasked.err);
}

pub fn later_than_the_last_commit(ground: &mut Ground) {
    ground.set_up(WEEKLY);
    later(ground);
}

pub fn later_than_the_last_commit_of_pgbackrest(rest: &mut Rest) {
    rest.set_up(WEEKLY);
    later(rest);
}

/// A server that is told to recover to a moment that no WAL reaches would not start.
fn later(it: &mut dyn Backed) {
    it.work().expect(0);
    thread::sleep(Duration::from_millis(1100));
    it.archive_all();
    // Segments without any commit are passed over.
    let mut client = it.ground().connect();
    for _ in 0..2 {
        let sql = "SELECT pg_walfile_name(pg_create_restore_point('x')), pg_walfile_name(pg_switch_wal())";
        let segment: String = client.query_one(sql, &[]).unwrap().get(0);
        it.ground().says_archived(&segment);
    }
    let moment: String = client.query_one("SELECT clock_timestamp()::text", &[]).unwrap().get(0);
    let to = it.ground().inside("late");
    let arguments = ["backup", "restore", "--to", &to, "--time", &moment];
    let refused = it.run(&arguments).expect(1);
    for words in ["restore-impossible", "nothing was committed after", "leave --time and --lsn out"] {
        assert!(refused.err.contains(words), "{words}: {}", refused.err);
    }
    assert!(!it.ground().outside("late").exists());
    thread::sleep(Duration::from_millis(20));
    it.archive_all();
    it.run(&arguments).expect(0);
    assert_eq!(it.ground().start("late").values("SELECT x FROM t"), [1]);
}

pub fn what_is_old_and_damaged_goes(ground: &mut Ground) {
    ground.set_up(&format!("{WEEKLY}keep: {{full: 2}}\n"));
    for _ in 0..3 {
        ground.run(&["backup", "run", "--auto-approve"]).expect(0);
        // Labels tell seconds.
        thread::sleep(Duration::from_millis(1100));
    }
    let labels = ground.labels();
    let flipped = |label: &str| flip(&ground.file_of(label), 2000);
    // One that is to stay keeps everything.
    flipped(&labels[1]);
    ground.run(&["backup", "verify"]).expect(2);
    assert!(!ground.run(&["run", "backup", "--dry-run"]).expect(0).out.contains("no longer needed"));
    flipped(&labels[1]);
    flipped(&labels[0]);
    ground.run(&["backup", "verify"]).expect(2);
    ground.work().expect(0);
    assert_eq!(ground.labels(), labels[1..]);
    ground.run(&["backup", "verify"]).expect(0);
    ground.run(&["backup", "list"]).expect(0);
}

/// What is older than all that is kept stops nothing for ever; what is within it does.
pub fn holes_of_long_ago(rest: &mut Rest) {
    rest.set_up(&format!("{WEEKLY}keep: {{full: 2}}\n"));
    let full = || rest.run(&["backup", "run", "--type", "full", "--auto-approve"]).expect(0);
    let hole = || {
        let three = [(); 3].map(|()| Backed::archive_all(rest));
        fs::remove_file(Backed::stored(rest, &three[1])).unwrap();
        three[1].clone()
    };
    full();
    let first = hole();
    full();
    full();
    let labels = rest.labels();
    assert!(rest.run(&["backup", "verify"]).expect(2).out.contains(&first));
    rest.work().expect(0);
    assert_eq!(rest.labels(), labels[1..]);
    rest.run(&["backup", "verify"]).expect(0);
    let second = hole();
    full();
    let before = rest.labels();
    let refused = rest.work();
    assert!(refused.code != 0, "{}", refused.out);
    for words in ["nothing is removed", &second, "chronoform backup run --type full"] {
        assert!(refused.err.contains(words), "{words}: {}", refused.err);
    }
    assert_eq!(rest.labels(), before);
    full();
    // By then, one of those that are older is damaged as well.
    let damaged = before.last().unwrap();
    flip(&rest.file_of(damaged), 2000);
    full();
    let labels = rest.labels();
    assert!(labels.contains(damaged), "{labels:?}");
    rest.work().expect(0);
    assert_eq!(rest.labels(), labels[labels.len() - 2..]);
    rest.run(&["backup", "verify"]).expect(0);
}
