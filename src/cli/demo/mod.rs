//! `chronoform demo`: the whole loop, for real, on an embedded TimescaleDB.
//!
//! Every step is the command that a user would type, printed and then run as a process of its own,
//! in a folder of its own.

pub mod embedded;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::cli::args::DemoArgs;
use crate::cli::context::Context;
use crate::cli::{out, signals};
use crate::diag::{Diagnostic, Exit, Failure, code};
use crate::pg::{ConnectOptions, Session};
use crate::report;

use embedded::EmbeddedServer;

const TRADING: &str = include_str!("trading.sql");
const DRIFT: &str = include_str!("drift.sql");

/// The shipped policies, so that the demo needs nothing but the program.
const POLICIES: &[(&str, &str)] = &[
    ("database.yaml", include_str!("../../../policies/database.yaml")),
    ("market_data.yaml", include_str!("../../../policies/market_data.yaml")),
    ("market_data_1h.yaml", include_str!("../../../policies/market_data_1h.yaml")),
    ("portfolio_snapshots.yaml", include_str!("../../../policies/portfolio_snapshots.yaml")),
    ("system_logs.yaml", include_str!("../../../policies/system_logs.yaml")),
    ("trades.yaml", include_str!("../../../policies/trades.yaml")),
];

/// What the demo takes out of a policy, and what it writes instead.
const RETENTION: &str = "retention:\n  drop_after: 30 days\n  schedule: {every: 1 day, max_retries: 3}\n";
const ARCHIVE: &str = "archive: {to: cold, after: 30 days, drop: true}\n";

/// Runs the demo on the embedded server, or on the empty database that `--url` names. What the environment
/// names is what somebody works with, and never meant.
pub fn run(args: &DemoArgs, context: &mut Context) -> Result<Exit, Failure> {
    let started = Instant::now();
    let given = context.global.url.take().filter(|_| context.global.url_is_given);
    if let Some(url) = &given {
        refuse_unless_empty(url)?;
    }
    let folder = Folder::create()?;
    let server = match &given {
        Some(_) => None,
        None => Some(start(args)?),
    };
    let url = match (&server, &given) {
        (Some(server), _) => server.url().to_owned(),
        (None, Some(url)) => url.clone(),
        (None, None) => String::new(),
    };
    let stage = Stage { folder: &folder.0, url: &url, ascii_only: context.global.quiet };
    let shown = stage.play();
    out::print(&format!("\nThe demo took {}.\n", report::elapsed(started.elapsed())));
    if let (Ok(()), Some(server), true) = (&shown, server, args.keep) {
        keep(server, &folder.0)?;
    }
    shown.map(|()| Exit::Done)
}

/// Refuses a database that has any table of somebody's: the demo makes its own, with jobs that drop and
/// compress.
fn refuse_unless_empty(url: &str) -> Result<(), Failure> {
    let options = ConnectOptions::from_environment(Some(url.to_owned()));
    let mut session = Session::connect(&options.resolve()?)?;
    let found =
        session.query_text(include_str!("anything.sql")).map_err(|e| Failure::from(e.diagnostic("looking around")))?;
    let names: Vec<String> = found.iter().filter_map(|row| row.text("name").ok().map(str::to_owned)).collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!("the database is not empty: it has {}", names.join(", "));
    let why = "the demo makes tables, and jobs that compress and drop; they have no business beside others";
    let help = "name an empty database with `--url`, or leave it out: the demo then starts a server of its own";
    Err(Diagnostic::error(&code::NOT_EMPTY, message).why(why).help(help).into())
}

fn start(args: &DemoArgs) -> Result<EmbeddedServer, Failure> {
    let unavailable = |error: embedded::EmbeddedError| {
        Failure::from(Diagnostic::error(&code::EMBEDDED_UNAVAILABLE, error.to_string()))
    };
    let cache = embedded::default_cache_dir().map_err(unavailable)?;
    let options = embedded::Options { port: args.port, ..embedded::Options::default() };
    let mut say = |text: &str| out::print(&format!("{text}\n"));
    EmbeddedServer::start(&cache, &options, &mut say).map_err(unavailable)
}

/// Waits for Ctrl-C with the server up.
fn keep(mut server: EmbeddedServer, folder: &Path) -> Result<(), Failure> {
    let text = format!(
        "\nThe server stays up until Ctrl-C:\n  export DATABASE_URL={}\nThe policies and the ledger are in {}\n",
        server.url(),
        folder.display()
    );
    out::print(&text);
    let interrupt = crate::apply::Interrupt::default();
    let listening = signals::listen(&interrupt)?;
    while !interrupt.is_requested() && server.is_running() {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    drop(listening);
    Ok(())
}

/// A folder that goes when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn create() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("chronoform-demo-{}", std::process::id()));
        let wrong = |error: std::io::Error| {
            let message = format!("the demo's folder {} cannot be made: {error}", path.display());
            Failure::from(Diagnostic::error(&code::FILE_UNREADABLE, message))
        };
        std::fs::create_dir_all(path.join("policies")).map_err(wrong)?;
        for (name, text) in POLICIES {
            std::fs::write(path.join("policies").join(name), text).map_err(wrong)?;
        }
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the system's temporary folder is the system's to clean.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where the demo plays.
struct Stage<'a> {
    folder: &'a Path,
    url: &'a str,
    ascii_only: bool,
}

impl Stage<'_> {
    fn play(&self) -> Result<(), Failure> {
        self.say("1. The team's migrations have made four tables, with a few hundred thousand rows over five weeks.");
        self.sql(TRADING)?;
        self.say("2. What would the policies change? Nothing is touched yet.");
        self.chronoform(&["plan"], 0)?;
        self.say("3. Apply it. Each hazard that the plan names is allowed by name.");
        let mut apply = vec!["apply", "--auto-approve"];
        apply.extend(["--allow", "deletes_data", "--allow", "rewrites_table", "--allow", "blocks_writes"]);
        apply.extend(["--allow", "blocks_reads", "--allow", "builds_index"]);
        self.chronoform(&apply, 0)?;
        self.say("4. Plan again: nothing to do.");
        self.chronoform(&["plan", "--detailed-exitcode"], 0)?;
        self.say("5. Somebody changes a retention, a columnstore setting and an index by hand.");
        out::print(&indent(DRIFT));
        self.sql(DRIFT)?;
        self.say("6. Drift names all three, and ends with exit code 2.");
        self.chronoform(&["drift"], 2)?;
        self.say("7. Heal: apply puts back what the policies say.");
        self.chronoform(&apply, 0)?;
        self.chronoform(&["drift"], 0)?;
        self.say("8. The ledger has recorded every step.");
        self.chronoform(&["ledger", "log"], 0)?;
        self.chronoform(&["ledger", "verify"], 0)?;
        self.say("9. Logs older than a month are to be kept as files. Nothing is dropped before its copy is proved.");
        self.change(RETENTION, ARCHIVE)?;
        self.chronoform(&["apply", "--auto-approve"], 0)?;
        self.chronoform(&["run", "archive", "--auto-approve"], 0)?;
        self.chronoform(&["archive", "list"], 0)?;
        self.chronoform(&["archive", "verify"], 0)
    }

    /// Changes a policy, as a pull request would.
    fn change(&self, from: &str, to: &str) -> Result<(), Failure> {
        let path = self.folder.join("policies/system_logs.yaml");
        let wrong = |why: String| {
            let message = format!("{} cannot be changed: {why}", path.display());
            Failure::from(Diagnostic::error(&code::FILE_UNREADABLE, message))
        };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        if !text.contains(from) {
            return Err(wrong("it is not as it is shipped".to_owned()));
        }
        let lines = |text: &str, sign: &str| text.lines().map(|line| format!("  {sign} {line}\n")).collect::<String>();
        let store = self.folder.join("archive");
        let store = format!("kind: archive_store\nname: cold\nlocation: {{path: {}}}\n", store.display());
        out::print(&format!("{}{}{}", lines(from, "-"), lines(to, "+"), lines(&store, "+")));
        let changed = format!("{}---\n{store}", text.replace(from, to));
        std::fs::write(&path, changed).map_err(|error| wrong(error.to_string()))
    }

    fn say(&self, text: &str) {
        let line = if self.ascii_only { "-" } else { "─" }.repeat(text.chars().count().min(100));
        out::print(&format!("\n{text}\n{line}\n"));
    }

    fn sql(&self, sql: &str) -> Result<(), Failure> {
        let options = ConnectOptions { url: Some(self.url.to_owned()), ..ConnectOptions::default() };
        let mut session = Session::connect(&options.resolve()?)?;
        let prepared = session.pin().and_then(|()| session.batch(sql));
        prepared.map_err(|error| error.diagnostic("preparing the demo").into())
    }

    /// Prints a command, runs it, and holds it to the exit code that the demo promises.
    fn chronoform(&self, arguments: &[&str], expected: i32) -> Result<(), Failure> {
        out::print(&format!("$ chronoform {}\n", arguments.join(" ")));
        let failed = |why: String| {
            let message = format!("`chronoform {}` {why}", arguments.join(" "));
            Failure::from(Diagnostic::error(&code::INTERNAL, message))
        };
        let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder).env("DATABASE_URL", self.url);
        for name in ["CHRONOFORM_LEDGER", "PGOPTIONS"] {
            command.env_remove(name);
        }
        let status = command.status().map_err(|error| failed(error.to_string()))?;
        match status.code() {
            Some(code) if code == expected => Ok(()),
            other => Err(failed(format!("ended with {other:?} instead of {expected}"))),
        }
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
