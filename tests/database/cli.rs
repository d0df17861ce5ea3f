//! The program itself, run as a user runs it, in a folder of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

use crate::servers::Db;

/// A folder with policies and a ledger, and a database to work on.
pub struct Workplace<'a> {
    /// The database.
    pub db: &'a Db,
    folder: TempDir,
}

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Ran {
    /// What a process printed, and how it ended.
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, and says where.
    pub fn expect_at(self, code: i32, at: &str) -> Self {
        assert_eq!(self.code, code, "{at}: exit code\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }

    /// Panics unless the exit code is this one.
    pub fn expect(self, code: i32) -> Self {
        assert!(!self.err.contains("panicked"), "it panicked:\n{}", self.err);
        assert_eq!(self.code, code, "exit code\n--- out\n{}\n--- err\n{}", self.out, self.err);
        self
    }
}

impl<'a> Workplace<'a> {
    /// A new folder.
    pub fn new(db: &'a Db) -> Self {
        Self { db, folder: tempfile::tempdir().unwrap() }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file in the folder.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path().join(name), text).unwrap();
    }

    /// The command, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_chronoform"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PG") || name.starts_with("CHRONOFORM_"))
        {
            command.env_remove(name);
        }
        command.env_remove("NO_COLOR").env("DATABASE_URL", self.db.url());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// Starts a command.
    pub fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// `apply` of a file with every hazard allowed.
    pub fn apply(&self, file: &str) -> Ran {
        let mut arguments = vec!["apply", file, "--auto-approve"];
        let hazards: Vec<String> =
            chronoform::core::Hazard::ALL.iter().map(|hazard| format!("--allow={hazard}")).collect();
        arguments.extend(hazards.iter().map(String::as_str));
        self.run(&arguments)
    }

    /// Panics unless a plan of the file has nothing to do.
    pub fn expect_converged(&self, file: &str) {
        let again = self.run(&["plan", file, "--detailed-exitcode", "-v"]);
        assert_eq!(again.code, 0, "the plan is not empty after apply\n{}\n{}", again.out, again.err);
    }
}

/// A copy that can be run at once. A program of its own writes it: what one thread holds open for writing,
/// a process that another thread starts at that moment holds open too, and until it has become its program
/// nothing can run the file ("Text file busy").
pub fn executable(from: impl AsRef<OsStr>, to: &Path) {
    let done = Command::new("install").args(["-m", "755"]).arg(from).arg(to).status().unwrap();
    assert!(done.success(), "{} cannot be made: {done}", to.display());
}
