//! Backups of a whole server: made, proved, drilled, expired and brought back, by one of several engines.
//!
//! A backup counts once it has been read back and the WAL that it needs is in the repository; a drill shows
//! that what counts can be brought back. The repository itself is the memory of all this: what is due is
//! worked out from what is there, so that a lost ledger loses no backup and makes none twice.

mod clocks;
mod drill;
mod due;
mod engine;
mod native;
mod newest;
mod pgbackrest;
mod programs;
mod reach;
mod record;
mod restore;
mod server;
mod state;
mod timeline;
mod wal;
mod way;

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::apply::{Interrupt, StepOutcome};
use crate::core::{Address, Desired, Live, Server, Task, Value};
use crate::diag::{Diagnostic, Failure};
use crate::kinds::backup::{
    DUE, EXPIRES, ID, MAX_LAG, NOT_WHOLE, ON_SCHEDULE, PATH, PROGRAMS, REPOSITORY, RPO, RTO, STATE, WAL, WINDOW,
    WRONG_KEY, work,
};
use crate::kinds::repository;
use crate::ops::Forced;
use crate::pg::{PgError, PgErrorKind, Session};
use programs::Programs;

pub use clocks::Clocks;
pub use engine::{Engine, Finding, Place};
pub use native::{Repository, WalError, cluster_here, fetch, push};
pub use newest::{is_mended_by, lost, of_policies, piles_up};
pub use pgbackrest::{StorageTrouble, configure, create, provide};
pub use record::{Backup, Check, Contents, Damaged, Drill, Sort};
pub use restore::{Order as Restore, Target, restore};
pub use wal::Lsn;

/// What stopped something.
#[derive(Debug)]
pub enum Trouble {
    /// The server, or the way to it.
    Server(PgError),
    /// A program could not be started, or failed.
    Program(String),
    /// A file or folder.
    File(PathBuf, io::Error),
    /// A backup, or WAL, that is missing or damaged.
    NotWhole(String),
    /// A repository that cannot be decrypted.
    Key(String),
    /// Where a repository is kept.
    Storage {
        /// What is wrong with it.
        sort: StorageTrouble,
        /// In words.
        message: String,
        /// Where the policy has its key and its secret from, as far as that is known.
        secrets: Vec<String>,
    },
    /// A stanza that was there, in words.
    Lost(String),
    /// It is not done, and what would help.
    Refused {
        /// Why.
        message: String,
        /// What would help.
        help: String,
    },
    /// Nothing is taken away as long as something that stays cannot be trusted.
    Kept {
        /// What.
        what: String,
        /// Why.
        why: String,
    },
    /// Somebody asked for it to stop.
    Interrupted,
}

impl Trouble {
    fn file(path: &Path, error: io::Error) -> Self {
        Self::File(path.to_owned(), error)
    }

    /// What would help.
    fn help(&self) -> Option<String> {
        match self {
            Self::Refused { help, .. } => Some(help.clone()),
            Self::Storage { sort, secrets, .. } => Some(sort.help(secrets)),
            Self::Lost(_) => Some(repository::LOST_HELP.to_owned()),
            Self::Kept { .. } => Some(
                "what is damaged goes with what is older, once all full backups that are kept began after it: `chronoform \
                 backup run --type full` makes another now. A damaged backup can be removed by hand before that: by \
                 `pgbackrest expire --set=LABEL`, or as a folder of the native engine's repository"
                    .to_owned(),
            ),
            Self::Key(_) => Some(
                "give the key that the repository was made with; if it is that one, both copies of what is named are damaged"
                    .to_owned(),
            ),
            Self::File(_, error) if error.kind() == io::ErrorKind::StorageFull => Some("make room there".to_owned()),
            Self::File(_, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Some("whoever runs this, and the server's own user, must be able to read and write there".to_owned())
            }
            _ => None,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => write!(f, "{error}"),
            Self::Key(why) => write!(f, "the repository cannot be decrypted: {why}"),
            Self::Program(why)
            | Self::NotWhole(why)
            | Self::Lost(why)
            | Self::Storage { message: why, .. }
            | Self::Refused { message: why, .. } => f.write_str(why),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Kept { what, why } => write!(f, "nothing is removed as long as {what} cannot be trusted: {why}"),
            Self::Interrupted => f.write_str("it was interrupted"),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<PgError> for Trouble {
    fn from(error: PgError) -> Self {
        if error.is_cancelled() { Self::Interrupted } else { Self::Server(error) }
    }
}

impl From<WalError> for Trouble {
    fn from(error: WalError) -> Self {
        match error {
            WalError::File(path, error) => Self::File(path, error),
            other => Self::NotWhole(other.to_string()),
        }
    }
}

impl From<Trouble> for StepOutcome {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Server(error) if error.kind == PgErrorKind::Lost => Self::InDoubt(error),
            Trouble::Server(error) => Self::Failed(error),
            Trouble::Interrupted => Self::Cancelled,
            other => {
                let error = PgError { hint: other.help(), ..PgError::protocol(other.to_string()) };
                match other.own_code() {
                    Some(code) => Self::Refused(code, error),
                    None => Self::Failed(error),
                }
            }
        }
    }
}

impl Trouble {
    /// The code of its own, where it has one whatever was being done.
    fn own_code(&self) -> Option<&'static crate::diag::Code> {
        match self {
            Self::Key(_) => Some(&WRONG_KEY),
            Self::Storage { sort, .. } => Some(sort.code()),
            Self::Lost(_) => Some(&repository::LOST),
            _ => None,
        }
    }

    /// As a diagnostic of a code.
    pub fn diagnostic(&self, code: &'static crate::diag::Code) -> Diagnostic {
        let code = match self {
            Self::NotWhole(_) | Self::Kept { .. } => &NOT_WHOLE,
            other => other.own_code().unwrap_or(code),
        };
        let diagnostic = Diagnostic::error(code, self.to_string());
        let diagnostic = match self {
            Self::Lost(_) => diagnostic.why(repository::LOST_WHY),
            _ => diagnostic,
        };
        match self.help() {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        }
    }
}

/// How others call this very program: by its path, where the system or whoever started it tells.
pub fn own_program() -> String {
    let called = || std::env::args_os().next().map(PathBuf::from).filter(|path| path.is_absolute());
    let path = std::env::current_exe().ok().or_else(called).unwrap_or_else(|| PathBuf::from("chronoform"));
    path.to_string_lossy().into_owned()
}

/// Bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What there is on this machine of what engines need before they can work.
///
/// # Errors
/// Only for a defect.
pub fn look_around(
    server: &Server,
    desired: &BTreeMap<Address, Desired>,
    inside: &BTreeMap<Address, Live>,
) -> Result<Vec<Live>, Failure> {
    let wanted = desired.values().filter(|desired| desired.address.kind == repository::ID);
    let known = wanted.filter_map(|desired| Some((desired, inside.get(&desired.address)?)));
    known.map(|(desired, inside)| pgbackrest::look(server, desired, inside)).collect()
}

/// What the repositories of the policies say of the work in them.
///
/// # Errors
/// When one cannot be read.
pub fn look(
    server: &Server,
    desired: &BTreeMap<Address, Desired>,
    forced: Option<&Forced>,
) -> Result<Vec<Live>, Failure> {
    let clocks = Clocks::with(server.now_micros);
    let mut known: BTreeMap<Place, Contents> = BTreeMap::new();
    let mut found = Vec::new();
    for desired in desired.values().filter(|desired| desired.address.kind == ID) {
        let Some(place) = Place::read(|name| desired.get(name)) else { continue };
        if !known.contains_key(&place) {
            let engine = place.open(&server.system_identifier);
            let contents = engine.contents();
            let contents = contents.map_err(|trouble| unreadable(&*engine, &trouble).at(desired.place_of(PATH)))?;
            known.insert(place.clone(), contents);
        }
        let Some(contents) = known.get_mut(&place) else { continue };
        if forced.is_none() && desired.address.name == work::BACKUP && newest::archives(desired) {
            let engine = place.open(&server.system_identifier);
            let names = engine.wal().map_err(|trouble| unreadable(&*engine, &trouble).at(desired.place_of(PATH)))?;
            contents.broken = way::broken(contents, &names);
        }
        let due = match forced.filter(|forced| forced.is_meant(&desired.address)) {
            Some(forced) => Some(due::Due { why: "asked for".to_owned(), sort: forced.sort, expires: Vec::new() }),
            None if forced.is_some() => None,
            None => due::due(desired, contents, clocks),
        };
        found.push(live(desired, due));
    }
    Ok(found)
}

fn live(desired: &Desired, due: Option<due::Due>) -> Live {
    let mut live = Live::new(desired.address.clone(), None);
    live.system = true;
    live.attributes = desired.attributes.clone();
    live.set(STATE, Value::text(due.as_ref().map_or(ON_SCHEDULE, |due| due.why.as_str())));
    if let Some(due) = due {
        if let Some(sort) = due.sort {
            live.set_fact(DUE, Value::text(sort.as_str()));
        }
        if !due.expires.is_empty() {
            live.set_fact(EXPIRES, Value::texts(due.expires));
        }
    }
    live
}

fn unreadable(engine: &dyn Engine, trouble: &Trouble) -> Diagnostic {
    let found = trouble.diagnostic(&REPOSITORY);
    let message = format!("the repository at {} cannot be read: {}", engine.place(), found.message);
    let help = || "it must be where whoever runs Chronoform, and the server, may read and write".to_owned();
    let help = found.help.clone().unwrap_or_else(help);
    Diagnostic { message, ..found }.help(help)
}

/// One piece of work, as a plan has it.
struct Piece<'a> {
    task: &'a Task,
    engine: Box<dyn Engine>,
}

impl<'a> Piece<'a> {
    fn read(task: &'a Task) -> Result<Self, Trouble> {
        let place = Place::read(|name| task.arguments.get(name));
        let (Some(place), Some(cluster)) = (place, task.arguments.get("cluster").and_then(Value::as_text)) else {
            return Err(Trouble::Program("the plan's work has no repository".to_owned()));
        };
        Ok(Self { task, engine: place.open(cluster) })
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.task.arguments.get(name).and_then(Value::as_text)
    }

    fn is(&self, name: &str) -> bool {
        self.task.arguments.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    fn span(&self, name: &str) -> Option<SignedDuration> {
        due::duration(self.task.arguments.get(name)?.as_interval()?)
    }

    fn max_lag(&self) -> Duration {
        self.span(MAX_LAG).and_then(|span| Duration::try_from(span).ok()).unwrap_or(Duration::from_secs(300))
    }

    fn programs(&self) -> Option<&'a Path> {
        self.text(PROGRAMS).map(Path::new)
    }

    fn hold(&self) -> Result<state::Hold, Trouble> {
        let state = self.engine.state();
        match state.hold() {
            Ok(Some(hold)) => Ok(hold),
            Ok(None) => Err(Trouble::Refused {
                message: format!("somebody else is at work in the repository {}", self.engine.place()),
                help: "let that end, and run this again".to_owned(),
            }),
            Err(error) => Err(Trouble::file(state.root(), error)),
        }
    }
}

/// Does a piece of work.
///
/// # Errors
/// What stopped it.
pub fn carry_out(
    task: &Task,
    server: &Server,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let piece = Piece::read(task)?;
    let _hold = piece.hold()?;
    match piece.text("work") {
        Some(work::BACKUP) => back_up(&piece, session, interrupt, tell),
        Some(work::VERIFY) => verify(&piece, session, interrupt, tell),
        Some(work::DRILL) => drill(&piece, session, interrupt, tell),
        Some(work::EXPIRE) => expire(&piece, Clocks::with(server.now_micros), interrupt, tell),
        other => Err(Trouble::Program(format!("nobody knows the work `{}`", other.unwrap_or_default()))),
    }
}

fn back_up(
    piece: &Piece<'_>,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let about = server::about(session)?;
    let engine = &*piece.engine;
    let archives = piece.is(WAL);
    if archives && !about.archives {
        return Err(Trouble::Refused {
            message: "the server does not archive its WAL, and no backup is whole without it".to_owned(),
            help: "run `chronoform apply`, and restart the server if that says so".to_owned(),
        });
    }
    let order = engine::Making {
        sort: piece.text(DUE).and_then(Sort::read).unwrap_or(Sort::Full),
        archives,
        max_lag: piece.max_lag(),
        programs: piece.programs(),
    };
    if archives {
        // Before anything is copied: the engine would wait for WAL that never comes.
        let name = format!("chronoform backup {}", state::stamp(Timestamp::now()));
        server::archived(engine, &name, piece.max_lag(), session, interrupt, tell)?;
    }
    let record = engine.make(&order, &about, session, interrupt, tell)?;
    if let Some(window) = piece.span(WINDOW)
        && record.stopped.duration_since(record.started) > window
    {
        tell(&format!("{} took longer than the {window:#} that its policy allows", record.label));
    }
    Ok(())
}

fn verify(
    piece: &Piece<'_>,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let began = Timestamp::now();
    let mut problems = piece.engine.prove(interrupt, tell)?;
    if piece.is(WAL) {
        let lost = lost(&*piece.engine, &piece.engine.contents()?, session)?;
        problems.extend(lost.map(|lost| lost.finding()));
    }
    let told = |(what, problem): &Finding| Some(format!("{what}: {}", problem.as_deref()?));
    let wrong: Vec<String> = problems.iter().filter_map(told).collect();
    if wrong.is_empty() {
        proved(&*piece.engine, &problems)?;
        let state = piece.engine.state();
        return state.keep_verified(began).map_err(|error| Trouble::file(state.root(), error));
    }
    Err(Trouble::NotWhole(wrong.join("; ")))
}

/// What was found by who holds the repository: where nothing is wrong, all that was read counts from then on.
///
/// # Errors
/// When that cannot be kept.
fn proved(engine: &dyn Engine, found: &[Finding]) -> Result<(), Trouble> {
    let labels: Vec<&str> = found.iter().filter(|(_, why)| why.is_none()).map(|(what, _)| what.as_str()).collect();
    if labels.len() == found.len() { engine.all_proved(&labels) } else { Ok(()) }
}

/// The same by somebody who only reads, and keeps it where nobody is at work.
///
/// # Errors
/// When it cannot be kept.
pub fn proved_by_reader(engine: &dyn Engine, found: &[Finding]) -> Result<(), Trouble> {
    match engine.state().hold() {
        Ok(Some(_hold)) => proved(engine, found),
        // Somebody is at work, or nothing can be written there.
        _ => Ok(()),
    }
}

fn drill(
    piece: &Piece<'_>,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let contents = piece.engine.contents()?;
    let order = drill::Order {
        engine: &*piece.engine,
        contents: &contents,
        archives: piece.is(WAL),
        max_lag: piece.max_lag(),
        rpo: piece.span(RPO),
        rto: piece.span(RTO),
        programs: piece.programs(),
    };
    clean_up(piece.engine.state(), piece.programs())?;
    let drill = drill::drill(&order, session, interrupt, tell)?;
    let wrong: Vec<String> = drill
        .checks
        .iter()
        .filter(|check| !check.fine)
        .map(|check| format!("{}: {}", check.what, check.found))
        .collect();
    if wrong.is_empty() { Ok(()) } else { Err(Trouble::NotWhole(format!("the drill failed: {}", wrong.join("; ")))) }
}

/// Ends and removes what drills left that were killed: nobody else is at work in a repository that is held.
fn clean_up(state: &state::State, programs: Option<&Path>) -> Result<(), Trouble> {
    for folder in state.unfinished_drills().map_err(|error| Trouble::file(state.root(), error))? {
        let data = folder.join("data");
        let version = std::fs::read_to_string(data.join("PG_VERSION")).ok();
        if let Some(major) = version.and_then(|text| text.trim().parse().ok())
            && data.join("postmaster.pid").exists()
        {
            let programs = Programs::find(programs, major, state.owner())?;
            let mut stop = programs.command("pg_ctl");
            // One that does not run has nothing to stop.
            let _ = stop.args(["stop", "--mode=immediate", "--wait", "-D"]).arg(&data).output();
        }
        std::fs::remove_dir_all(&folder).map_err(|error| Trouble::file(&folder, error))?;
    }
    Ok(())
}

/// Takes away what is no longer needed: backups by their labels, and then WAL that only they needed.
fn expire(piece: &Piece<'_>, clocks: Clocks, interrupt: &Interrupt, tell: &mut dyn FnMut(&str)) -> Result<(), Trouble> {
    let contents = piece.engine.contents()?;
    // Worked out again from what is there now: the plan's list says no more than which of them may go.
    let Some(keep) = due::Keep::read(|name| piece.task.arguments.get(name)) else { return Ok(()) };
    let planned: Vec<&str> = piece
        .task
        .arguments
        .get(EXPIRES)
        .map(Value::as_list)
        .unwrap_or_default()
        .iter()
        .filter_map(Value::as_text)
        .collect();
    let come = clocks.come(&contents);
    let expired: Vec<&Backup> = due::expired(keep, &come, clocks.earlier())
        .into_iter()
        .filter(|record| planned.contains(&record.label.as_str()))
        .collect();
    if let Some(Damaged { what, why, .. }) = due::obstacle(&contents, &expired) {
        return Err(Trouble::Kept { what: what.clone(), why: why.clone() });
    }
    let expired: Vec<String> = expired.into_iter().map(|record| record.label.clone()).collect();
    let state = piece.engine.state();
    let Some(_alone) = state.alone().map_err(|error| Trouble::file(state.root(), error))? else {
        return Err(Trouble::Refused {
            message: "somebody reads or restores a backup, and nothing is removed meanwhile".to_owned(),
            help: "let that end, and run this again".to_owned(),
        });
    };
    piece.engine.remove(&contents, &expired, interrupt, tell)
}
