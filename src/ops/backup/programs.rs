//! PostgreSQL's own programs: where they are, as whom they run, and what they said.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use crate::apply::Interrupt;
use crate::ops::backup::Trouble;
use crate::ops::backup::state::Owner;

/// How often is looked whether somebody wants it stopped.
const PATIENCE: Duration = Duration::from_millis(100);
/// How many lines of what a program said are told.
const TOLD: usize = 12;

/// Where packages put the programs of a major version.
const PLACES: [&str; 4] = [
    "/usr/lib/postgresql/{}/bin",
    "/usr/pgsql-{}/bin",
    "/usr/lib/postgresql{}/bin",
    "/opt/homebrew/opt/postgresql@{}/bin",
];

/// The programs of one version.
#[derive(Clone, Debug)]
pub struct Programs {
    folder: PathBuf,
    owner: Owner,
}

impl Programs {
    /// Those in a folder, or else where PATH and packages have those of a major version.
    ///
    /// # Errors
    /// When there are none of it, or those that were named are of another.
    pub fn find(named: Option<&Path>, major: u32, owner: Owner) -> Result<Self, Trouble> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let packaged = PLACES.iter().map(|place| PathBuf::from(place.replace("{}", &major.to_string())));
        let folders: Vec<PathBuf> = match named {
            Some(folder) => vec![folder.to_owned()],
            None => std::env::split_paths(&path).chain(packaged).collect(),
        };
        for folder in &folders {
            // Debian has one in /usr/bin that calls another, and beside it is none of the rest.
            if folder.join("pg_verifybackup").is_file() && version(&folder.join("pg_basebackup")) == Some(major) {
                return Ok(Self { folder: folder.clone(), owner });
            }
        }
        let message = match named {
            Some(folder) => {
                format!("{} has no pg_basebackup and pg_verifybackup of PostgreSQL {major}", folder.display())
            }
            None => format!("no pg_basebackup and pg_verifybackup of PostgreSQL {major} were found on this machine"),
        };
        let help = "install the client programs of the server's version, or name their folder: `programs: /usr/lib/postgresql/17/bin`";
        Err(Trouble::Refused { message, help: help.to_owned() })
    }

    /// A program to be run, as the owner of the repository where that is somebody else, and speaking
    /// English, so that what it says can be told apart.
    pub fn command(&self, name: &str) -> Command {
        // The variables of the connection are given one by one.
        command(&self.folder.join(name), self.owner, &["PG"])
    }
}

/// A program to be run as somebody, speaking English, and without the variables of this process whose names
/// begin with one of some words.
pub fn command(program: &Path, owner: Owner, without: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env("LC_ALL", "C").stdin(Stdio::null());
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if without.iter().any(|begin| name.starts_with(begin)) {
            command.env_remove(&variable);
        }
    }
    if let Some((user, group)) = owner.ids() {
        command.uid(user).gid(group);
    }
    // A folder that it may enter, whoever it runs as.
    command.current_dir("/");
    command
}

/// The major version that a program says it is of.
fn version(program: &Path) -> Option<u32> {
    let out = Command::new(program).arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let number = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    number.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// Runs a program to its end; `tell` takes each line that it writes to standard error. Gives what it wrote
/// to standard output. Stopped on request, it is killed.
///
/// # Errors
/// When it cannot be started, fails or is stopped.
pub fn run(command: Command, what: &str, interrupt: &Interrupt, tell: &mut dyn FnMut(&str)) -> Result<String, Trouble> {
    run_unless(command, what, interrupt, tell, &|_| None)
}

/// The same, but where a line that it writes to standard output is `hopeless`, it is killed, and that is what it
/// has failed with.
///
/// # Errors
/// When it cannot be started, fails, is hopeless or is stopped.
pub fn run_unless(
    mut command: Command,
    what: &str,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
    hopeless: &(dyn Fn(&str) -> Option<Trouble> + Sync),
) -> Result<String, Trouble> {
    let given_up: Mutex<Option<Trouble>> = Mutex::new(None);
    let is_hopeless = || given_up.lock().is_ok_and(|given_up| given_up.is_some());
    // A signal to the group that this process is in is for this process to heed.
    command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| Trouble::Program(format!("{what} cannot be started: {error}")))?;
    let (out, errors) = (child.stdout.take(), child.stderr.take());
    let said = thread::scope(|scope| {
        let (given_up, is_hopeless) = (&given_up, &is_hopeless);
        let out = scope.spawn(move || {
            let mut text = Vec::new();
            let Some(mut out) = out.map(BufReader::new) else { return String::new() };
            // What cannot be read was not written whole, and the program's end tells of that.
            let mut begin = 0;
            while out.read_until(b'\n', &mut text).is_ok_and(|read| read > 0) {
                let line = String::from_utf8_lossy(text.get(begin..).unwrap_or_default());
                if let (Some(trouble), Ok(mut given_up)) = (hopeless(&line), given_up.lock()) {
                    given_up.get_or_insert(trouble);
                }
                begin = text.len();
            }
            String::from_utf8_lossy(&text).into_owned()
        });
        let (sender, lines) = std::sync::mpsc::channel();
        scope.spawn(move || {
            for line in errors.into_iter().flat_map(|errors| BufReader::new(errors).split(b'\n')) {
                let Ok(line) = line else { break };
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    break;
                }
            }
        });
        let mut kept: Vec<String> = Vec::new();
        let mut stopped = false;
        loop {
            match lines.recv_timeout(PATIENCE) {
                Ok(line) => {
                    // Progress is written over itself.
                    let line =
                        line.rsplit('\r').find(|part| !part.trim().is_empty()).unwrap_or_default().trim().to_owned();
                    tell(&line);
                    if is_progress(&line) {
                        continue;
                    }
                    if kept.len() == TOLD {
                        kept.remove(0);
                    }
                    kept.push(line);
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout)
                    if (interrupt.is_requested() || is_hopeless()) && !stopped =>
                {
                    stopped = true;
                    end(&mut child);
                }
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
            }
        }
        (out.join().unwrap_or_default(), kept, stopped)
    });
    let status = child.wait().map_err(|error| Trouble::Program(format!("{what}: {error}")))?;
    if let Ok(Some(trouble)) = given_up.into_inner() {
        return Err(trouble);
    }
    match said {
        (_, _, true) => Err(Trouble::Interrupted),
        (out, _, false) if status.success() => Ok(out),
        (_, kept, false) => {
            // What came before it failed is what went well.
            let began = kept.iter().position(|line| line.contains(": error: ")).unwrap_or(0);
            let said = kept.get(began..).unwrap_or_default().join("; ");
            Err(Trouble::Program(format!("{what} failed ({status}): {said}")))
        }
    }
}

/// Whether a line only says how far it is: `12345/67890 kB (18%), 0/1 tablespace`.
fn is_progress(line: &str) -> bool {
    line.contains(" kB (") && line.contains("%)") || line.contains(" kB, ") && line.ends_with("tablespaces")
}

fn end(child: &mut Child) {
    // One that has ended already needs no end.
    let _ = child.kill();
}
