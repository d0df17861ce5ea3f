//! PostgreSQL clusters of the tests' own: made in a temporary folder, run on a free port of this
//! machine, gone without a trace.
//!
//! PostgreSQL refuses to run as root, so root runs it as `postgres` or `nobody`. A small shell
//! script starts the server and waits at the end of a pipe that this process holds; when the pipe
//! closes, because the cluster is dropped or because this process is no more, it stops the server at
//! once and removes the folder.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr, dead_code)]

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

const START_LIMIT: Duration = Duration::from_secs(60);

/// So much room, in bytes, has to be free in memory for clusters to be made there.
const ENOUGH_MEMORY: u64 = 8 << 30;

/// Runs the server `$1` on the cluster in `$2`/data until a line or the end of its input comes; then
/// removes the folder, unless the line says to keep it.
const KEEPER: &str = r#"
"$1" -D "$2/data" >> "$2/log" 2>&1 < /dev/null &
server=$!
word=
read -r word
case $word in
  fast*) kill -INT "$server" ;;
  *) kill -QUIT "$server" ;;
esac 2> /dev/null
wait "$server"
case $word in
  *keep) ;;
  *) cd / && rm -rf "$2" ;;
esac
"#;

/// Where a server's programs are, and as whom they run.
#[derive(Debug, Clone)]
pub struct Place {
    /// The folder that programs see as `/`.
    root: PathBuf,
    /// The programs' folder, as they see it.
    bin: PathBuf,
    /// The user to become, where this process is root.
    user: Option<User>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct User {
    name: String,
    uid: u32,
    gid: u32,
}

impl Place {
    /// The newest PostgreSQL of this machine.
    pub fn native() -> Result<Self, String> {
        let root = PathBuf::from("/");
        let bin = newest_under(&root).or_else(|| {
            let found = find_on_path("initdb")?;
            found.canonicalize().ok()?.parent().map(Path::to_owned)
        });
        let bin = bin
            .ok_or("no PostgreSQL server is installed (initdb is neither under /usr/lib/postgresql nor on the PATH)")?;
        Self::new(root, bin)
    }

    /// The TimescaleDB in a Debian root.
    pub fn apache(root: &Path) -> Result<Self, String> {
        if !is_root() {
            return Err(format!("only root can run a server inside {}", root.display()));
        }
        let bin = newest_under(root).ok_or_else(|| {
            format!("there is no Debian root with PostgreSQL at {}; tests/run makes one", root.display())
        })?;
        let version = bin.parent().and_then(Path::file_name).unwrap_or_default();
        let control = Path::new("usr/share/postgresql").join(version).join("extension/timescaledb.control");
        if !root.join(&control).is_file() {
            return Err(format!("there is no TimescaleDB at {}; tests/run makes one", root.display()));
        }
        Self::new(root.to_owned(), bin)
    }

    fn new(root: PathBuf, bin: PathBuf) -> Result<Self, String> {
        let user = if is_root() {
            let users = fs::read_to_string(root.join("etc/passwd")).unwrap_or_default();
            let find = |name: &str| users.lines().find_map(|line| User::parse(line).filter(|user| user.name == name));
            let user = find("postgres").or_else(|| find("nobody"));
            Some(user.ok_or("PostgreSQL refuses to run as root, and there is no user postgres or nobody")?)
        } else {
            None
        };
        Ok(Self { root, bin, user })
    }

    /// The folder of the server's programs (`pg_basebackup`, `pg_dump` …), as this process sees it.
    pub fn bin(&self) -> PathBuf {
        self.root.join(self.bin.strip_prefix("/").unwrap_or(&self.bin))
    }

    /// The same folder, as programs see it.
    pub fn programs(&self) -> PathBuf {
        self.bin.clone()
    }

    /// A command that runs there, as the server's user.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = if self.root == Path::new("/") {
            let mut command = Command::new(program);
            if let Some(user) = &self.user {
                command.uid(user.uid).gid(user.gid);
            }
            command
        } else {
            let mut command = Command::new("chroot");
            if let Some(user) = &self.user {
                command.arg(format!("--userspec={}:{}", user.uid, user.gid)).arg("--groups=");
            }
            command.arg(&self.root).arg(program);
            command
        };
        command.current_dir("/").env("LC_ALL", "C").env_remove("PGDATA").env_remove("PGPORT");
        command
    }

    /// A new folder for the server's user, short enough for a socket's path.
    fn folder(&self) -> Result<(PathBuf, PathBuf), String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("chronoform-pg-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let temp = if self.root == Path::new("/") { temporary() } else { "/tmp".into() };
        let inside = temp.join(name);
        let outside = self.root.join(inside.strip_prefix("/").unwrap_or(&inside));
        // What an earlier process of the same number left.
        let _ = fs::remove_dir_all(&outside);
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&outside)
            .map_err(|error| format!("{}: {error}", outside.display()))?;
        if let Some(user) = &self.user {
            chown(&outside, Some(user.uid), Some(user.gid))
                .map_err(|error| format!("{}: {error}", outside.display()))?;
        }
        Ok((inside, outside))
    }
}

/// Where clusters are made: in memory, where there is plenty. A database is many small files, and a disk takes
/// longer to make and remove them than the server needs for all the rest.
fn temporary() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let free = rustix::fs::statvfs(memory).map_or(0, |fs| fs.f_bavail.saturating_mul(fs.f_frsize));
    let is_chosen = std::env::var_os("TMPDIR").is_some();
    if is_chosen || free < ENOUGH_MEMORY { std::env::temp_dir() } else { memory.to_owned() }
}

impl User {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Self { name, uid, gid })
    }
}

/// A cluster of its own, and its server. Both go when this value goes.
#[derive(Debug)]
pub struct Cluster {
    place: Place,
    /// Its folder, as the server sees it and as this process does.
    inside: PathBuf,
    outside: PathBuf,
    port: u16,
    url: String,
    keeper: Option<(Child, ChildStdin)>,
}

impl Cluster {
    /// Makes a cluster with further lines in its configuration, and starts its server.
    pub fn start(place: &Place, settings: &[&str]) -> Result<Self, String> {
        let (inside, outside) = place.folder()?;
        let mut cluster = Self { place: place.clone(), inside, outside, port: 0, url: String::new(), keeper: None };
        cluster.initdb(settings)?;
        // Between its choice and its use, a port may be taken.
        let mut result = cluster.launch();
        for _ in 0..3 {
            if result.is_ok() {
                break;
            }
            result = cluster.launch();
        }
        result.map(|()| cluster)
    }

    /// A streaming standby of a cluster that runs, as `pg_basebackup -R` makes it.
    pub fn standby_of(primary: &Self) -> Result<Self, String> {
        let place = primary.place.clone();
        let (inside, outside) = place.folder()?;
        let mut cluster = Self { place: place.clone(), inside, outside, port: 0, url: String::new(), keeper: None };
        let output = place
            .command(place.bin.join("pg_basebackup"))
            .arg("--pgdata")
            .arg(cluster.inside.join("data"))
            .args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--dbname"])
            .arg(primary.url())
            .stdin(Stdio::null())
            .output();
        finished("pg_basebackup", output)?;
        // What comes last counts: the port and the socket's folder are its own.
        let lines = format!(
            "\ninclude '{}'\nunix_socket_directories = '{}'\n",
            cluster.inside.join("port.conf").display(),
            cluster.inside.display()
        );
        let file = cluster.data().join("postgresql.conf");
        let appended =
            fs::OpenOptions::new().append(true).open(&file).and_then(|mut file| file.write_all(lines.as_bytes()));
        appended.map_err(|error| format!("{}: {error}", file.display()))?;
        cluster.launch().map(|()| cluster)
    }

    /// The URL of its database `postgres`, for its superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port that it listens on, at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where its programs are.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Its data folder, as this process sees it.
    pub fn data(&self) -> PathBuf {
        self.outside.join("data")
    }

    /// A folder that its server can write to, which goes with it.
    pub fn folder(&self) -> &Path {
        &self.outside
    }

    /// The same folder, as the server sees it.
    pub fn inside(&self) -> &Path {
        &self.inside
    }

    /// What its server wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.outside.join("log")).unwrap_or_default()
    }

    /// Stops the server, as an administrator would, and keeps the cluster.
    pub fn stop(&mut self) {
        self.end("fast keep\n");
    }

    /// Stops the server as a power failure would, and keeps the cluster.
    pub fn crash(&mut self) {
        let pids = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let pid = pids.lines().next().unwrap_or_default().to_owned();
        // SIGKILL for the postmaster alone; its children notice and end.
        let _ = Command::new("kill").args(["-KILL", &pid]).status();
        self.end("keep\n");
        let _ = fs::remove_file(self.data().join("postmaster.pid"));
    }

    /// Starts the server again, on another port.
    pub fn launch(&mut self) -> Result<(), String> {
        self.end("keep\n");
        self.port = free_port().map_err(|error| format!("no free port: {error}"))?;
        self.url = format!("postgres://postgres:postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port);
        let setting = format!("port = {}\n", self.port);
        fs::write(self.outside.join("port.conf"), setting).map_err(|error| error.to_string())?;
        fs::set_permissions(self.outside.join("port.conf"), fs::Permissions::from_mode(0o644))
            .map_err(|error| error.to_string())?;
        let mut keeper = self
            .place
            .command("sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(self.place.bin.join("postgres"))
            .arg(&self.inside)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt at the terminal ends this process, and with it the server, in order.
            .process_group(0)
            .spawn()
            .map_err(|error| format!("cannot start a server: {error}"))?;
        let stdin = keeper.stdin.take().expect("it was asked for");
        self.keeper = Some((keeper, stdin));
        let deadline = Instant::now() + START_LIMIT;
        loop {
            let error = match Client::connect(&self.url, NoTls) {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let log = self.log();
            if Instant::now() > deadline || log.contains("FATAL:  could not") || log.contains("aborting startup") {
                let tail: Vec<_> = log.lines().rev().take(10).collect();
                let tail: Vec<_> = tail.into_iter().rev().collect();
                let _ = fs::remove_file(self.outside.join("log"));
                return Err(format!("the server does not start ({error}):\n{}", tail.join("\n")));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn initdb(&self, settings: &[&str]) -> Result<(), String> {
        let secret = self.outside.join("password");
        fs::write(&secret, "postgres\n").map_err(|error| error.to_string())?;
        fs::set_permissions(&secret, fs::Permissions::from_mode(0o644)).map_err(|error| error.to_string())?;
        let output = self
            .place
            .command(self.place.bin.join("initdb"))
            .arg("--pgdata")
            .arg(self.inside.join("data"))
            .args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pwfile")
            .arg(self.inside.join("password"))
            .stdin(Stdio::null())
            .output();
        finished("initdb", output)?;
        // A socket's path may have 107 bytes.
        let sockets =
            if self.inside.as_os_str().len() < 80 { self.inside.display().to_string() } else { String::new() };
        let mut lines = vec![
            "listen_addresses = '127.0.0.1'".to_owned(),
            format!("unix_socket_directories = '{sockets}'"),
            format!("include '{}'", self.inside.join("port.conf").display()),
            "max_connections = 60".to_owned(),
            "fsync = off".to_owned(),
            "full_page_writes = off".to_owned(),
            "dynamic_shared_memory_type = mmap".to_owned(),
            "shared_buffers = 32MB".to_owned(),
            "jit = off".to_owned(),
            "timezone = 'UTC'".to_owned(),
            "log_timezone = 'UTC'".to_owned(),
        ];
        lines.extend(settings.iter().map(|&line| line.to_owned()));
        let file = self.data().join("postgresql.conf");
        let appended = fs::OpenOptions::new()
            .append(true)
            .open(&file)
            .and_then(|mut file| file.write_all(format!("\n{}\n", lines.join("\n")).as_bytes()));
        appended.map_err(|error| format!("{}: {error}", file.display()))
    }

    fn end(&mut self, word: &str) {
        if let Some((mut keeper, mut stdin)) = self.keeper.take() {
            let _ = stdin.write_all(word.as_bytes());
            drop(stdin);
            let _ = keeper.wait();
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end("\n");
        let _ = fs::remove_dir_all(&self.outside);
    }
}

/// The newest `usr/lib/postgresql/*/bin` with a server below a root, as seen from inside.
fn newest_under(root: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(root.join("usr/lib/postgresql")).ok()?;
    let versions = versions.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let with_server = versions.filter(|version| {
        let bin = root.join(format!("usr/lib/postgresql/{version}/bin"));
        bin.join("initdb").is_file() && bin.join("postgres").is_file()
    });
    with_server.max().map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")))
}

/// A program's file, where the shell would find it.
pub fn find_on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|this| this.uid() == 0)
}

fn free_port() -> std::io::Result<u16> {
    TcpListener::bind(("127.0.0.1", 0))?.local_addr().map(|address| address.port())
}

fn finished(program: &str, output: std::io::Result<Output>) -> Result<(), String> {
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{program}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr).trim_end()))
}
