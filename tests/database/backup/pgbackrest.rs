//! pgBackRest as the engine, on real servers with WAL archiving.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};

use super::ground::{Ground, left_behind, wait};
use super::{holes, lost, s3, unmounted, unproved, upgraded};
use crate::cli::Ran;
use crate::s3::S3Server;
use crate::servers::cluster::{Place, find_on_path};
use crate::servers::{Servers, Tier, trixie_root};

const WEEKLY: &str = "schedule: {full: '0 1 * * 0'}\n";
const KEY: &str = "hunter2-Never-Shown-And-Long-Enough";
const ENCRYPTED: &str = "schedule: {full: '0 1 * * 0'}\nencryption: {cipher: aes-256, key: '${env.BACKUP_KEY}'}\n";

/// Why these tests cannot run here, where they cannot.
pub fn unable() -> Option<String> {
    let missing = find_on_path("pgbackrest").is_none();
    missing.then(|| "pgbackrest is not installed (Debian: apt install pgbackrest)".to_owned())
}

/// Finds the programs of a server.
type Where = fn() -> Result<Place, String>;

/// The tests of a tier.
pub fn trials(tier: Tier, _servers: &Servers) -> Vec<Trial> {
    let (place, settings): (Where, &'static [&'static str]) = match tier {
        Tier::PostgresNative if unable().is_none() => (Place::native, &[]),
        Tier::Apache if trixie_root().is_ok_and(|root| root.join("usr/bin/pgbackrest").exists()) => (
            || Place::apache(&trixie_root()?),
            &["shared_preload_libraries = 'timescaledb'", "timescaledb.telemetry_level = off"],
        ),
        _ => return Vec::new(),
    };
    let mut trials = Vec::new();
    let mut add = |name: &str, run: fn(&mut Rest)| {
        trials.push(Trial::test(format!("{tier}::pgbackrest::{name}"), move || -> Result<(), Failed> {
            run(&mut Rest::new(&place()?, settings)?);
            Ok(())
        }));
    };
    add("from_a_policy_to_a_drill", from_a_policy_to_a_drill);
    add("to_a_moment_between_two_transactions", to_a_moment_between_two_transactions);
    add("damage_is_found", damage_is_found);
    add("what_is_no_longer_needed_goes", what_is_no_longer_needed_goes);
    add("a_wrong_key_is_refused", a_wrong_key_is_refused);
    add("killed_while_it_is_made", killed_while_it_is_made);
    add("the_newest_wal_is_missed", lost::newest_wal_of_pgbackrest);
    add("later_than_the_last_commit", lost::later_than_the_last_commit_of_pgbackrest);
    add("holes_of_long_ago", lost::holes_of_long_ago);
    add("nothing_is_restored_over_a_hole", holes::of_pgbackrest);
    add("a_backup_is_due_past_a_hole", holes::past_one_of_pgbackrest);
    add("what_nobody_has_read_back_counts_for_nothing", unproved::counts_for_nothing);
    add("a_repository_that_is_not_mounted", unmounted::is_missed_and_not_made);
    // What this one looks at, the native engine's looks at on the other version.
    if tier == Tier::PostgresNative {
        add("on_another_timeline", on_another_timeline);
        // Other versions have other names for the files that they lock.
        add("another_is_at_work", unproved::another_is_at_work);
    } else {
        // The other version is older.
        add("the_stanza_goes_on_after_an_upgrade", upgraded::the_stanza_goes_on);
    }
    add("a_stanza_of_another_cluster_is_left_alone", a_stanza_of_another_cluster_is_left_alone);
    let mut add = |name: &str, run: fn(&mut Rest, &S3Server)| {
        trials.push(Trial::test(format!("{tier}::pgbackrest::s3::{name}"), move || -> Result<(), Failed> {
            let server = S3Server::start()?;
            run(&mut s3::rest(&place()?, settings, &server)?, &server);
            Ok(())
        }));
    };
    add("from_a_policy_to_a_drill", s3::from_a_policy_to_a_drill);
    add("who_may_not_come_in", s3::who_may_not_come_in);
    // What these look at is the same whichever pgBackRest it is.
    if tier == Tier::PostgresNative {
        add("damage_is_found", s3::damage_is_found);
        add("one_that_fails", s3::one_that_fails);
        add("a_bucket_that_was_emptied", unmounted::in_a_bucket);
    }
    trials
}

/// A server with pgBackRest.
pub(super) struct Rest {
    pub ground: Ground,
    pub env: BTreeMap<&'static str, String>,
    /// Where the repository is, as a policy says it; and the folder that it ends up in.
    pub repository: String,
    pub store: PathBuf,
    /// What else its policy has of `pgbackrest`.
    pub more: &'static str,
}

impl Rest {
    pub fn new(place: &Place, settings: &[&str]) -> Result<Self, String> {
        let ground = Ground::new(place, settings)?;
        // pgBackRest comes through the socket as the server's own user.
        let file = ground.cluster.data().join("pg_hba.conf");
        let hba = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        fs::write(&file, format!("local all all trust\n{hba}")).map_err(|error| error.to_string())?;
        ground.connect().batch_execute("SELECT pg_reload_conf()").map_err(|error| error.to_string())?;
        let (repository, store) = (format!("path: {}", ground.inside("repository")), ground.outside("repository"));
        Ok(Self { ground, env: BTreeMap::new(), repository, store, more: "" })
    }

    pub fn policy(&self, more: &str) {
        let text = format!(
            "kind: backup\nname: main\nengine: pgbackrest\nrepository: {{{}}}\n\
             pgbackrest: {{folder: {}, program: /usr/bin/pgbackrest{}}}\n\
             wal: {{max_lag: 30 seconds}}\nprograms: {}\n{more}",
            self.repository,
            self.ground.inside("rest"),
            self.more,
            self.ground.place.programs().display(),
        );
        fs::write(self.ground.outside("policies/backup.yaml"), text).unwrap();
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.ground.run_with(arguments, &self.env)
    }

    pub fn work(&self) -> Ran {
        self.run(&["run", "backup", "--auto-approve"])
    }

    /// What `apply` makes true, with the restart that it needs. These servers get another port with it.
    pub fn set_up(&mut self, more: &str) {
        self.policy(more);
        self.run(&["apply", "--auto-approve", "--allow", "needs_restart"]).expect(0);
        self.restart();
    }

    pub fn restart(&mut self) {
        self.ground.cluster.stop();
        self.ground.cluster.launch().unwrap();
        self.run(&["apply", "--auto-approve"]).expect(0);
        self.run(&["plan", "--detailed-exitcode"]).expect(0);
    }

    pub fn config(&self) -> PathBuf {
        self.ground.outside("rest/pgbackrest.conf")
    }

    /// pgBackRest itself.
    pub fn rest(&self, arguments: &[&str]) -> String {
        let mut command = self.ground.place.command("pgbackrest");
        command.arg(format!("--config={}", self.ground.inside("rest/pgbackrest.conf"))).arg("--stanza=main");
        let out = command.args(arguments).arg("--log-level-console=off").output().unwrap();
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8_lossy(&out.stdout).into_owned()
    }

    pub fn labels(&self) -> Vec<String> {
        let info: serde_json::Value = serde_json::from_str(&self.rest(&["info", "--output=json"])).unwrap();
        let backups = info[0]["backup"].as_array().unwrap();
        backups.iter().map(|backup| backup["label"].as_str().unwrap().to_owned()).collect()
    }

    /// The file of a segment in the repository.
    pub fn stored(&self, segment: &str) -> Option<PathBuf> {
        let mut found = Vec::new();
        files(&self.store.join("archive/main"), &mut found);
        found.into_iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with(&format!("{segment}-")))
    }

    pub fn archive_all(&self) -> String {
        let row = self.ground.connect().query_one("SELECT pg_walfile_name(pg_switch_wal())", &[]).unwrap();
        let segment: String = row.get(0);
        wait("WAL to be archived", || self.stored(&segment).is_some());
        segment
    }

    /// No secret is anywhere but in the one file that is for it.
    pub fn expect_no_secret(&self, ran: &Ran) {
        assert!(!ran.out.contains("hunter2") && !ran.err.contains("hunter2"), "{}\n{}", ran.out, ran.err);
        let mut all = Vec::new();
        for name in ["ledger.db", "ledger.db-wal", "policies", "plan.json", "rest"] {
            let path = self.ground.outside(name);
            if path.is_dir() {
                files(&path, &mut all)
            } else if path.is_file() {
                all.push(path)
            }
        }
        for file in all.iter().filter(|file| **file != self.config()) {
            let bytes = fs::read(file).unwrap();
            assert!(!bytes.windows(7).any(|window| window == b"hunter2"), "{}", file.display());
        }
        let mode = fs::metadata(self.config()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

pub(super) fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, into) } else { into.push(path) }
    }
}

fn from_a_policy_to_a_drill(rest: &mut Rest) {
    rest.policy("schedule: {full: '0 1 * * 0', incremental: '0 1 * * 1-6'}\nkeep: {full: 3}\nverify: {checksums: 7 days, restore_drill: 7 days}\nobjectives: {rpo: 1 minute, rto: 5 minutes}\n");
    let planned = rest.run(&["plan"]).expect(0);
    for words in ["repository main", "+repo1-retention-full=3", "+[main]", "archive_command", "restart", "stanza"] {
        assert!(planned.out.contains(words), "{words}\n{}", planned.out);
    }
    assert!(!planned.out.contains("max_wal_senders") && !planned.out.contains("summarize_wal"), "{}", planned.out);
    assert!(!rest.config().exists(), "a plan writes nothing");
    let early = rest.work();
    assert!(early.code != 0, "{}\n{}", early.out, early.err);
    rest.run(&["apply", "--auto-approve", "--allow", "needs_restart"]).expect(0);
    assert_eq!(fs::metadata(rest.config()).unwrap().permissions().mode() & 0o777, 0o600);
    // The stanza is there before the server archives to it.
    assert!(rest.rest(&["info"]).contains("no valid backups"));
    rest.restart();
    // What was changed by hand is shown line by line, and changed back.
    let text = fs::read_to_string(rest.config()).unwrap();
    fs::write(rest.config(), text.replace("repo1-retention-full=3", "repo1-retention-full=1")).unwrap();
    let drifted = rest.run(&["drift"]);
    assert!(drifted.code == 2 && drifted.out.contains("repository main"), "{}", drifted.out);
    let planned = rest.run(&["plan"]).expect(0);
    for words in ["-repo1-retention-full=1", "+repo1-retention-full=3", "@@"] {
        assert!(planned.out.contains(words), "{words}\n{}", planned.out);
    }
    fs::set_permissions(rest.config(), fs::Permissions::from_mode(0o644)).unwrap();
    assert!(rest.run(&["plan"]).expect(0).out.contains("its mode is 0644"));
    rest.run(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(fs::read_to_string(rest.config()).unwrap(), text);
    assert_eq!(fs::metadata(rest.config()).unwrap().permissions().mode() & 0o777, 0o600);

    rest.ground.connect().batch_execute("CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) AS g").unwrap();
    let first = rest.work().expect(0);
    assert!(first.out.contains("no full backup yet"), "{}", first.out);
    assert_eq!(rest.labels().len(), 1);
    let second = rest.work().expect(0);
    assert!(second.out.contains("drill"), "{}\n{}", second.out, second.err);
    let third = rest.work().expect(0);
    assert!(!third.out.contains("backup.main"), "{}", third.out);
    let listed = rest.run(&["backup", "list"]).expect(0);
    assert!(listed.out.contains("passed") && listed.out.contains(&rest.labels()[0]), "{}", listed.out);
    let left: Vec<_> = fs::read_dir(rest.ground.outside("rest")).unwrap().map(|e| e.unwrap().file_name()).collect();
    let is_left = |name: &std::ffi::OsString| {
        let name = name.to_string_lossy();
        name.starts_with("drill-") || name.starts_with("probe-") || name.starts_with("unproved")
    };
    assert!(!left.iter().any(is_left), "{left:?}");
    let log = rest.run(&["ledger", "log"]).expect(0);
    assert_eq!(log.out.matches("  run  ").count(), 2, "{}", log.out);
    // The drill's server archived nothing.
    assert!(rest.stored("000000020000000000000001").is_none());
    let again = rest.run(&["backup", "drill", "--auto-approve"]).expect(0);
    assert!(again.out.contains("passed"), "{}\n{}", again.out, again.err);
    for kept in ["rest/y", "repository/archive/y"] {
        let refused = rest.run(&["backup", "restore", "--to", &rest.ground.inside(kept)]).expect(1);
        assert!(refused.err.contains("where backups are kept"), "{kept}: {}", refused.err);
    }
}

fn to_a_moment_between_two_transactions(rest: &mut Rest) {
    rest.set_up("schedule: {full: '0 1 * * 0', incremental: '0 1 * * 1-6'}\n");
    let mut client = rest.ground.connect();
    client.batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)").unwrap();
    rest.work().expect(0);
    rest.run(&["backup", "run", "--type", "incremental", "--auto-approve"]).expect(0);
    let labels = rest.labels();
    assert!(labels.len() == 2 && labels[1].ends_with('I'), "{labels:?}");
    // A backup is of its end, which is told in whole seconds.
    thread::sleep(Duration::from_millis(1100));
    client.batch_execute("INSERT INTO t VALUES (2)").unwrap();
    let row = client.query_one("SELECT pg_current_wal_lsn()::text, clock_timestamp()::text", &[]).unwrap();
    let (lsn, moment): (String, String) = (row.get(0), row.get(1));
    thread::sleep(Duration::from_millis(20));
    client.batch_execute("INSERT INTO t VALUES (3)").unwrap();
    rest.archive_all();
    for (folder, more, expected) in [
        ("by_time", vec!["--time", &moment], vec![1, 2]),
        ("by_lsn", vec!["--lsn", &lsn], vec![1, 2]),
        ("end", vec!["--no-wal"], vec![1]),
        ("full", vec!["--no-wal", "--label", &labels[0]], vec![1]),
        ("all", vec![], vec![1, 2, 3]),
    ] {
        let to = rest.ground.inside(folder);
        let programs = rest.ground.place.programs().display().to_string();
        let mut arguments = vec!["backup", "restore", "--to", &to, "--programs", &programs];
        arguments.extend(more);
        rest.run(&arguments).expect(0);
        assert_eq!(rest.ground.start(folder).values("SELECT x FROM t ORDER BY x"), expected, "{folder}");
        assert!(!rest.ground.outside(&format!("{folder}.tablespaces")).exists());
    }
    assert!(rest.stored("000000020000000000000001").is_none(), "those that were started archived nothing");
    let refuse = |to: &str, more: &[&str]| {
        let to = rest.ground.inside(to);
        let mut arguments = vec!["backup", "restore", "--to", &to];
        arguments.extend(more);
        rest.run(&arguments).expect(1).err
    };
    assert!(refuse("data", &[]).contains("is the folder of a server that runs"));
    let early = refuse("early", &["--time", "2020-01-01 00:00:00+00"]);
    assert!(early.contains("restore-impossible") && early.contains("the oldest"), "{early}");
    assert!(!rest.ground.outside("early").exists());
}

pub(super) fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 0x40;
    fs::write(path, bytes).unwrap();
}

/// pgBackRest ends with 0 for each of these.
fn damage_is_found(rest: &mut Rest) {
    rest.set_up(WEEKLY);
    let sql = "CREATE TABLE t AS SELECT g, md5(g::text) FROM generate_series(1, 20000) AS g";
    rest.ground.connect().batch_execute(sql).unwrap();
    rest.work().expect(0);
    let mut middle = String::new();
    for letter in ["x", "y", "z"] {
        rest.ground.connect().batch_execute(&format!("INSERT INTO t VALUES (0, '{letter}')")).unwrap();
        let segment = rest.archive_all();
        if letter == "y" {
            middle = segment;
        }
    }
    let whole = rest.run(&["backup", "verify"]).expect(0);
    assert!(whole.out.contains("Proved 1 backup"), "{}", whole.out);
    let label = rest.labels().remove(0);
    let folder = rest.ground.outside("repository/backup/main").join(&label);
    let mut stored = Vec::new();
    files(&folder.join("pg_data/base"), &mut stored);
    let large = stored.into_iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    let segment = rest.stored(&middle).unwrap();
    let with = |paths: &[PathBuf], expected: &str, change: &dyn Fn(&Path)| {
        let before: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
        paths.iter().for_each(|path| change(path));
        let found = rest.run(&["backup", "verify"]);
        assert_eq!(found.code, 2, "{paths:?}: {}\n{}", found.out, found.err);
        assert!(found.out.contains(expected), "{paths:?}: {expected}: {}", found.out);
        for (path, bytes) in paths.iter().zip(before) {
            fs::write(path, bytes).unwrap();
        }
    };
    let one = |path: &Path| vec![path.to_owned()];
    for at in [10, 2000, usize::MAX] {
        with(&one(&large), &label, &|path| flip(path, at));
    }
    with(&one(&large), &label, &|path| fs::write(path, b"").unwrap());
    with(&one(&large), &label, &|path| fs::remove_file(path).unwrap());
    let manifest = folder.join("backup.manifest");
    let copy = folder.join("backup.manifest.copy");
    with(&one(&manifest), "manifest", &|path| flip(path, 500));
    with(&one(&copy), "manifest", &|path| flip(path, 500));
    with(&[manifest.clone(), copy], &label, &|path| fs::remove_file(path).unwrap());
    with(&one(&segment), &middle, &|path| flip(path, 100));
    with(&one(&segment), "missing", &|path| fs::remove_file(path).unwrap());
    let info: serde_json::Value = serde_json::from_str(&rest.rest(&["info", "--output=json"])).unwrap();
    let needed = info[0]["backup"][0]["archive"]["start"].as_str().unwrap().to_owned();
    with(&[rest.stored(&needed).unwrap()], &label, &|path| fs::remove_file(path).unwrap());
    for name in ["backup/main/backup.info", "archive/main/archive.info"] {
        let info = rest.ground.outside("repository").join(name);
        let copy = info.with_extension("info.copy");
        with(&one(&info), "repository", &|path| flip(path, 100));
        // Without either, nobody knows what there is.
        let before = [fs::read(&info).unwrap(), fs::read(&copy).unwrap()];
        flip(&info, 100);
        flip(&copy, 100);
        for command in [vec!["backup", "verify"], vec!["backup", "list"], vec!["run", "backup", "--auto-approve"]] {
            let refused = rest.run(&command);
            assert!(refused.code != 0, "{command:?} {}\n{}", refused.out, refused.err);
            assert!(refused.err.contains("backup-not-whole") && refused.err.contains("info file"), "{}", refused.err);
        }
        fs::write(&info, &before[0]).unwrap();
        fs::write(&copy, &before[1]).unwrap();
    }
    rest.run(&["backup", "verify"]).expect(0);
    // What was found is remembered: it is no backup that anything goes by.
    flip(&large, 2000);
    rest.run(&["backup", "verify"]).expect(2);
    let listed = rest.run(&["backup", "list"]).expect(2);
    assert!(listed.out.contains("invalid"), "{}", listed.out);
    let to = rest.ground.inside("never");
    let refused = rest.run(&["backup", "restore", "--to", &to]).expect(1);
    assert!(!rest.ground.outside("never").exists(), "{}", refused.err);
    let due = rest.run(&["run", "backup", "--dry-run"]).expect(0);
    assert!(due.out.contains("no full backup yet"), "{}", due.out);
    flip(&large, 2000);
    rest.run(&["backup", "verify"]).expect(0);
    // pgBackRest reads what it restores, too.
    flip(&large, 2000);
    let refused = rest.run(&["backup", "restore", "--to", &to]).expect(1);
    assert!(refused.err.contains("restore-impossible"), "{}", refused.err);
    assert!(!rest.ground.outside("never").exists(), "{}", refused.err);
}

fn what_is_no_longer_needed_goes(rest: &mut Rest) {
    rest.set_up("schedule: {full: '0 1 * * 0'}\nkeep: {full: 2}\n");
    for _ in 0..4 {
        rest.ground.connect().batch_execute("CREATE TABLE IF NOT EXISTS t (x int); INSERT INTO t VALUES (1)").unwrap();
        rest.run(&["backup", "run", "--auto-approve"]).expect(0);
    }
    let before = rest.labels();
    assert_eq!(before.len(), 4, "pgBackRest itself removes nothing");
    let due = rest.run(&["run", "backup", "--dry-run"]).expect(0);
    assert!(due.out.contains("2 backups are no longer needed"), "{}", due.out);
    // What stays is read first.
    let mut stored = Vec::new();
    files(&rest.ground.outside("repository/backup/main").join(&before[3]).join("pg_data/base"), &mut stored);
    let large = stored.into_iter().max_by_key(|path| fs::metadata(path).unwrap().len()).unwrap();
    flip(&large, 2000);
    let refused = rest.work();
    assert!(refused.code != 0 && refused.err.contains("nothing is removed"), "{}\n{}", refused.out, refused.err);
    assert_eq!(rest.labels(), before);
    flip(&large, 2000);
    rest.run(&["backup", "verify"]).expect(0);
    rest.work().expect(0);
    assert_eq!(rest.labels(), before[2..]);
    rest.run(&["backup", "verify"]).expect(0);
    let info: serde_json::Value = serde_json::from_str(&rest.rest(&["info", "--output=json"])).unwrap();
    assert_eq!(info[0]["archive"][0]["min"], info[0]["backup"][0]["archive"]["start"]);
    // With a span of time to go back in, all of them are needed.
    rest.policy("schedule: {full: '0 1 * * 0'}\nkeep: {full: 1, wal: 14 days}\n");
    assert!(rest.run(&["plan"]).expect(0).out.contains("+repo1-retention-full-type=time"));
    rest.run(&["apply", "--auto-approve"]).expect(0);
    rest.work().expect(0);
    assert_eq!(rest.labels(), before[2..]);
}

fn a_wrong_key_is_refused(rest: &mut Rest) {
    rest.policy(ENCRYPTED);
    // Without the key, nothing is written.
    let refused = rest.run(&["plan"]);
    assert!(refused.code != 0 && refused.err.contains("secret-not-at-hand"), "{}\n{}", refused.out, refused.err);
    assert!(refused.err.contains("BACKUP_KEY"), "{}", refused.err);
    rest.env.insert("BACKUP_KEY", KEY.to_owned());
    let plan = rest.ground.inside("plan.json");
    let planned = rest.run(&["plan", "--out", &plan]).expect(0);
    assert!(planned.out.contains("+repo1-cipher-pass=***"), "{}", planned.out);
    assert!(planned.out.contains("+repo1-cipher-type=aes-256-cbc"), "{}", planned.out);
    rest.run(&["apply", "--auto-approve", "--allow", "needs_restart"]).expect(0);
    rest.restart();
    rest.expect_no_secret(&planned);
    assert!(fs::read_to_string(rest.config()).unwrap().contains(KEY));
    rest.ground.connect().batch_execute("CREATE TABLE t AS SELECT 1 AS x").unwrap();
    let made = rest.work().expect(0);
    rest.expect_no_secret(&made);
    let drilled = rest.run(&["backup", "drill", "--auto-approve"]).expect(0);
    assert!(drilled.out.contains("passed"), "{}", drilled.out);
    rest.run(&["backup", "verify"]).expect(0);
    let mut stored = Vec::new();
    files(&rest.ground.outside("repository/backup"), &mut stored);
    for file in stored {
        assert!(fs::read(&file).unwrap().starts_with(b"Salted__"), "{}", file.display());
    }
    // After a fire there are the policies, the key and the repository, and nothing else.
    let kept = rest.ground.outside("kept");
    fs::rename(rest.ground.outside("rest"), &kept).unwrap();
    let to = rest.ground.inside("after_a_fire");
    let key = rest.env.remove("BACKUP_KEY").unwrap();
    let refused = rest.run(&["backup", "restore", "--to", &to]).expect(1);
    assert!(refused.err.contains("BACKUP_KEY") && !rest.config().exists(), "{}", refused.err);
    rest.env.insert("BACKUP_KEY", key);
    let restored = rest.run(&["backup", "restore", "--to", &to]).expect(0);
    rest.expect_no_secret(&restored);
    assert_eq!(rest.ground.start("after_a_fire").values("SELECT x FROM t"), [1]);
    fs::remove_dir_all(rest.ground.outside("rest")).unwrap();
    fs::rename(&kept, rest.ground.outside("rest")).unwrap();
    // Without the key at hand, what is written is taken to be right, and that is said.
    rest.env.clear();
    let unknown = rest.run(&["plan", "--detailed-exitcode"]).expect(0);
    assert!(unknown.err.contains("secret-not-at-hand"), "{}", unknown.err);
    // Another key is a difference, and one that would lock everybody out is not written.
    rest.env.insert("BACKUP_KEY", "hunter2-but-another".to_owned());
    let planned = rest.run(&["plan"]).expect(0);
    assert!(planned.out.contains("-repo1-cipher-pass=*** (another)"), "{}", planned.out);
    let before = fs::read(rest.config()).unwrap();
    let refused = rest.run(&["apply", "--auto-approve"]);
    assert!(refused.code != 0 && refused.err.contains("cannot be decrypted"), "{}\n{}", refused.out, refused.err);
    assert!(refused.err.contains("give the key that the repository was made with"), "{}", refused.err);
    assert_eq!(fs::read(rest.config()).unwrap(), before);
    rest.expect_no_secret(&refused);
    // Where it is in the configuration, it has a code of its own.
    let text = fs::read_to_string(rest.config()).unwrap();
    fs::write(rest.config(), text.replace(KEY, "hunter2-but-another")).unwrap();
    for command in [vec!["backup", "list"], vec!["run", "backup", "--auto-approve"], vec!["plan"]] {
        let refused = rest.run(&command);
        assert!(refused.code != 0 && refused.err.contains("repository-key-wrong"), "{command:?} {}", refused.err);
        assert!(refused.err.contains("give the key"), "{}", refused.err);
        rest.expect_no_secret(&refused);
    }
    // The right one mends it.
    rest.env.insert("BACKUP_KEY", KEY.to_owned());
    rest.run(&["apply", "--auto-approve"]).expect(0);
    rest.run(&["backup", "list"]).expect(0);
    // One in the policy itself is refused, and not repeated.
    rest.policy("schedule: {full: '0 1 * * 0'}\nencryption:\n  key: hunter2\n");
    let refused = rest.run(&["validate"]).expect(1);
    assert!(refused.err.contains("secret-in-policy") && !refused.err.contains("hunter2"), "{}", refused.err);
}

/// Whenever it is killed, what is left of it is no backup, and the next run makes one.
fn killed_while_it_is_made(rest: &mut Rest) {
    rest.set_up(WEEKLY);
    let sql = "CREATE TABLE t AS SELECT g, md5(g::text) FROM generate_series(1, 50000) AS g";
    rest.ground.connect().batch_execute(sql).unwrap();
    let (ledger, policies) = (rest.ground.inside("ledger.db"), rest.ground.inside("policies"));
    for after in [300, 900, 1500, 2500] {
        let arguments = ["backup", "run", "--auto-approve", "--ledger", &ledger, "--policies", &policies, "--quiet"];
        let mut child = rest.ground.command(&arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(Duration::from_millis(after));
        let _ = child.kill();
        child.wait().unwrap();
        let listed = rest.run(&["backup", "list", "--format", "json"]).expect(0);
        let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
        let counted = listed["backups"].as_array().unwrap().len();
        let finished = rest.labels().len();
        assert!(counted <= finished, "after {after} ms: {counted} {finished}");
    }
    wait("what the killed ones left running", || {
        let info: serde_json::Value = serde_json::from_str(&rest.rest(&["info", "--output=json"])).unwrap();
        let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'chronoform'";
        let sessions = rest.ground.connect().query_one(sql, &[]).unwrap().get::<_, i64>(0);
        info[0]["status"]["lock"]["backup"]["held"] == false && sessions == 0
    });
    rest.run(&["backup", "run", "--auto-approve"]).expect(0);
    rest.run(&["backup", "verify"]).expect(0);
    let listed = rest.run(&["backup", "list", "--format", "json"]).expect(0);
    let listed: serde_json::Value = serde_json::from_str(&listed.out).unwrap();
    assert_eq!(listed["backups"].as_array().unwrap().len(), rest.labels().len());
}

/// A server that was restored and takes the old one's place goes on in the same stanza.
fn on_another_timeline(rest: &mut Rest) {
    rest.set_up("schedule: {full: '0 1 * * 0', incremental: '0 1 * * 1-6'}\n");
    let mut client = rest.ground.connect();
    client.batch_execute("CREATE TABLE t (x int); INSERT INTO t VALUES (1)").unwrap();
    rest.work().expect(0);
    client.batch_execute("INSERT INTO t VALUES (2)").unwrap();
    let lsn: String = client.query_one("SELECT pg_current_wal_lsn()::text", &[]).unwrap().get(0);
    client.batch_execute("INSERT INTO t VALUES (3)").unwrap();
    rest.archive_all();
    // Of a past that the server will have left.
    rest.run(&["backup", "run", "--type", "full", "--auto-approve"]).expect(0);
    rest.archive_all();
    let left = rest.labels().pop().unwrap();
    drop(client);
    rest.ground.bring_back_in_its_place(&["--lsn", &lsn]);
    rest.run(&["apply", "--auto-approve"]).expect(0);
    let mut client = rest.ground.connect();
    client.batch_execute("INSERT INTO t VALUES (4)").unwrap();
    rest.archive_all();
    let listed = rest.run(&["backup", "list", "--format", "json"]).expect(0);
    assert_eq!(left_behind(&listed.out), [left.as_str()], "{}", listed.out);
    rest.run(&["backup", "restore", "--to", &rest.ground.inside("early")]).expect(0);
    assert_eq!(rest.ground.start("early").values("SELECT x FROM t ORDER BY x"), [1, 2, 4]);
    rest.run(&["backup", "restore", "--to", &rest.ground.inside("left"), "--label", &left]).expect(0);
    assert_eq!(rest.ground.start("left").values("SELECT x FROM t ORDER BY x"), [1, 2, 3]);
    rest.run(&["backup", "run", "--type", "incremental", "--auto-approve"]).expect(0);
    client.batch_execute("INSERT INTO t VALUES (5)").unwrap();
    let segment = rest.archive_all();
    assert!(segment.starts_with("00000002"), "{segment}");
    rest.run(&["backup", "verify"]).expect(0);
    let to = rest.ground.inside("latest");
    rest.run(&["backup", "restore", "--to", &to]).expect(0);
    assert_eq!(rest.ground.start("latest").values("SELECT x FROM t ORDER BY x"), [1, 2, 4, 5]);
    let drilled = rest.run(&["backup", "drill", "--auto-approve"]).expect(0);
    assert!(drilled.out.contains("passed"), "{}", drilled.out);
}

fn a_stanza_of_another_cluster_is_left_alone(rest: &mut Rest) {
    rest.set_up(WEEKLY);
    rest.work().expect(0);
    let before = rest.labels();
    let other = Rest::new(&rest.ground.place, &[]).unwrap();
    other.policy(WEEKLY);
    let file = other.ground.outside("policies/backup.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let (own, others) = (other.ground.inside("repository"), rest.ground.inside("repository"));
    fs::write(&file, text.replace(&own, &others)).unwrap();
    let refused = other.run(&["apply", "--auto-approve", "--allow", "needs_restart"]);
    assert!(refused.code != 0 && refused.err.contains("is of the cluster"), "{}\n{}", refused.out, refused.err);
    let refused = other.run(&["plan"]);
    assert!(refused.code != 0 && refused.err.contains("stanza-unusable"), "{}\n{}", refused.out, refused.err);
    assert_eq!(rest.labels(), before);
    rest.run(&["backup", "verify"]).expect(0);
}
