//! A server with a repository, and the program where that server's own user can run it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use crate::cli::{Ran, executable};
use crate::servers::cluster::{Cluster, Place};

/// A test by its name.
pub type Case = (&'static str, fn(&mut Ground));

const LIMIT: Duration = Duration::from_secs(60);

/// A server with a repository, and the program where the server's own user can run it.
pub struct Ground {
    pub cluster: Cluster,
    pub place: Place,
    inside: PathBuf,
}

impl Ground {
    pub fn new(place: &Place, settings: &[&str]) -> Result<Self, String> {
        let cluster = Cluster::start(place, settings)?;
        let inside = cluster.inside().to_owned();
        let ground = Self { cluster, place: place.clone(), inside };
        let program = ground.outside("chronoform");
        executable(env!("CARGO_BIN_EXE_chronoform"), &program);
        fs::create_dir(ground.outside("policies")).map_err(|error| error.to_string())?;
        fs::set_permissions(ground.outside("policies"), fs::Permissions::from_mode(0o755))
            .map_err(|error| error.to_string())?;
        Ok(ground)
    }

    pub fn outside(&self, name: &str) -> PathBuf {
        self.cluster.folder().join(name)
    }

    pub fn inside(&self, name: &str) -> String {
        self.inside.join(name).display().to_string()
    }

    pub fn policy(&self, more: &str) {
        self.policy_with("max_lag: 30 seconds", more);
    }

    /// The same with other words of WAL.
    pub fn policy_with(&self, wal: &str, more: &str) {
        let text = format!(
            "kind: backup\nname: main\nrepository: {{path: {}}}\n\
             wal: {{{wal}, program: {}}}\nprograms: {}\n{more}",
            self.inside("repository"),
            self.inside("chronoform"),
            self.place.programs().display(),
        );
        fs::write(self.outside("policies/backup.yaml"), text).unwrap();
    }

    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = self.place.command(self.inside.join("chronoform"));
        command.args(arguments).arg("--color").arg("never");
        command.env("DATABASE_URL", self.cluster.url()).env("HOME", &self.inside).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, &BTreeMap::new())
    }

    /// The same with more in its environment.
    pub fn run_with(&self, arguments: &[&str], env: &BTreeMap<&str, String>) -> Ran {
        let mut all = arguments.to_vec();
        let (ledger, policies) = (self.inside("ledger.db"), self.inside("policies"));
        all.extend(["--ledger", &ledger]);
        let is_plan = matches!(arguments.first(), Some(&("plan" | "apply" | "drift" | "validate")));
        let by_itself = ["push-wal", "--from", "ledger"].iter().any(|word| arguments.contains(word));
        match (is_plan, by_itself) {
            (_, true) => {}
            (true, _) => all.push(&policies),
            (false, _) => all.extend(["--policies", &policies]),
        }
        let output: Output = self.command(&all).envs(env).output().unwrap();
        Ran::of(&output)
    }

    /// Everything that is due.
    pub fn work(&self) -> Ran {
        self.run(&["run", "backup", "--auto-approve"])
    }

    pub fn connect(&self) -> Client {
        Client::connect(self.cluster.url(), NoTls).unwrap()
    }

    /// What `apply` makes true, and a restart.
    pub fn set_up(&mut self, more: &str) {
        self.policy(more);
        self.run(&["apply", "--auto-approve", "--allow", "needs_restart"]).expect(0);
        self.cluster.stop();
        self.cluster.launch().unwrap();
        self.run(&["plan", "--detailed-exitcode"]).expect(0);
    }

    pub fn cluster_id(&self) -> String {
        let row = self.connect().query_one("SELECT system_identifier::text FROM pg_control_system()", &[]).unwrap();
        row.get(0)
    }

    pub fn repository(&self) -> PathBuf {
        self.outside("repository").join(self.cluster_id())
    }

    pub fn labels(&self) -> Vec<String> {
        let folder = self.repository().join("backups");
        let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
        let mut labels: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        labels.sort();
        labels
    }

    /// Waits until the server says that it has archived a segment, which is in the repository before that.
    pub fn says_archived(&self, segment: &str) {
        let mut client = self.connect();
        wait("the server to say that it has archived WAL", || {
            let row = client.query_one("SELECT last_archived_wal FROM pg_stat_archiver", &[]).unwrap();
            row.get::<_, Option<String>>(0).is_some_and(|last| last.as_str() >= segment)
        });
    }

    /// Waits until what was written is in the repository.
    pub fn archive_all(&self) -> String {
        let mut client = self.connect();
        let row = client.query_one("SELECT pg_walfile_name(pg_switch_wal())", &[]).unwrap();
        let segment: String = row.get(0);
        let file = self.repository().join("wal").join(&segment[..16]).join(format!("{segment}.zst"));
        wait("WAL to be archived", || file.exists());
        segment
    }

    /// Brings the server back to a moment, in its own place: it goes on from there on a timeline of its own.
    pub fn bring_back_in_its_place(&mut self, moment: &[&str]) {
        let to = self.inside("restored");
        self.run(&[&["backup", "restore", "--to", &to, "--archive"], moment].concat()).expect(0);
        self.cluster.stop();
        fs::rename(self.outside("data"), self.outside("old")).unwrap();
        fs::rename(self.outside("restored"), self.outside("data")).unwrap();
        // What was written for the folder where it was is for the one where it is.
        let auto = self.outside("data/postgresql.auto.conf");
        let text = fs::read_to_string(&auto).unwrap().replace(&to, &self.inside("data"));
        fs::write(&auto, text).unwrap();
        self.cluster.launch().unwrap();
        wait("its promotion", || {
            !self.connect().query_one("SELECT pg_is_in_recovery()", &[]).unwrap().get::<_, bool>(0)
        });
    }

    /// Starts what was restored, aside. It goes when the value goes.
    pub fn start(&self, folder: &str) -> Restored {
        let sockets = self.outside(&format!("{folder}.sockets"));
        fs::create_dir(&sockets).unwrap();
        fs::set_permissions(&sockets, fs::Permissions::from_mode(0o777)).unwrap();
        self.start_again(folder)
    }

    /// The same once it has been started and has gone.
    pub fn start_again(&self, folder: &str) -> Restored {
        let data = self.inside(folder);
        let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let log = fs::File::create(self.outside(&format!("{folder}.log"))).unwrap();
        let mut command = self.place.command(self.place.programs().join("postgres"));
        command.args(["-D", &data, "-c", "hot_standby=off"]);
        command.args(["-p", &port.to_string(), "-k", &self.inside(&format!("{folder}.sockets"))]);
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = command.spawn().unwrap();
        let url = format!("postgres://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable");
        wait("the restored server", || {
            if let Ok(Some(status)) = child.try_wait() {
                let log = fs::read_to_string(self.outside(&format!("{folder}.log"))).unwrap();
                panic!("the restored server ended: {status}\n{log}");
            }
            Client::connect(&url, NoTls).is_ok()
        });
        Restored { child, client: Client::connect(&url, NoTls).unwrap() }
    }
}

pub struct Restored {
    child: Child,
    pub client: Client,
}

impl Restored {
    pub fn values(&mut self, sql: &str) -> Vec<i32> {
        self.client.query(sql, &[]).unwrap().iter().map(|row| row.get(0)).collect()
    }
}

impl Drop for Restored {
    fn drop(&mut self) {
        let _ = std::process::Command::new("kill").args(["-QUIT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

pub fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < LIMIT, "waiting for {what} took too long");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Runs a command in a folder of the server's, wherever its root is.
pub fn in_folder(ground: &Ground, command: &mut std::process::Command, folder: &str) -> Output {
    let mut words = vec![command.get_program().to_owned()];
    words.extend(command.get_args().map(std::ffi::OsStr::to_owned));
    let quoted: Vec<String> = words.iter().map(|word| format!("'{}'", word.to_string_lossy())).collect();
    // Behind `chroot`, where it is there, comes the program itself.
    let at = quoted.iter().position(|word| word.contains("/chronoform'")).unwrap();
    let script = format!("cd '{}' && exec {}", ground.inside(folder), quoted[at..].join(" "));
    ground.place.command("sh").args(["-c", &script]).output().unwrap()
}

/// Which backups are of a past that the server has left, by a listing in JSON.
pub fn left_behind(listed: &str) -> Vec<String> {
    let listed: serde_json::Value = serde_json::from_str(listed).unwrap();
    let all = listed["backups"].as_array().unwrap().iter();
    let left =
        all.filter(|line| line["left_behind"].as_str().is_some_and(|left| left.starts_with("timeline 1, left at")));
    left.map(|line| line["label"].as_str().unwrap().to_owned()).collect()
}
