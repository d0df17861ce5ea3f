//! Backups of a whole server by PostgreSQL's own programs: made, proved, drilled, expired and brought back.
//!
//! A backup counts once it has been read back and the WAL that it needs is in the repository; a drill shows
//! that what counts can be brought back. The repository itself is the memory of all this: what is due is
//! worked out from what is there, so that a lost ledger loses no backup and makes none twice.

mod drill;
mod due;
mod manifest;
mod programs;
mod prove;
mod repository;
mod restore;
mod server;
mod take;
mod wal;

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
    DUE, EXPIRES, ID, MAX_LAG, NOT_WHOLE, ON_SCHEDULE, PATH, PROGRAMS, REPOSITORY, RPO, RTO, STATE, WAL, WINDOW, work,
};
use crate::ops::Forced;
use crate::pg::{PgError, PgErrorKind, Session};

pub use programs::Programs;
pub use repository::{Check, Contents, Drill, Record, Repository, Sort};
pub use restore::{Order as Restore, Target, restore};
pub use wal::{Lsn, WalError, cluster_here, fetch, push};

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
    /// It is not done, and what would help.
    Refused {
        /// Why.
        message: String,
        /// What would help.
        help: String,
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
            Self::Program(why) | Self::NotWhole(why) | Self::Refused { message: why, .. } => f.write_str(why),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
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
            other => Self::Failed(PgError { hint: other.help(), ..PgError::protocol(other.to_string()) }),
        }
    }
}

impl Trouble {
    /// As a diagnostic of a code.
    pub fn diagnostic(&self, code: &'static crate::diag::Code) -> Diagnostic {
        let code = if matches!(self, Self::NotWhole(_)) { &NOT_WHOLE } else { code };
        let diagnostic = Diagnostic::error(code, self.to_string());
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

/// What the repositories of the policies say of the work in them.
///
/// # Errors
/// When one cannot be read.
pub fn look(
    server: &Server,
    desired: &BTreeMap<Address, Desired>,
    forced: Option<&Forced>,
) -> Result<Vec<Live>, Failure> {
    let mut known: BTreeMap<PathBuf, Contents> = BTreeMap::new();
    let mut found = Vec::new();
    for desired in desired.values().filter(|desired| desired.address.kind == ID) {
        let Some(path) = desired.get(PATH).and_then(Value::as_text).map(PathBuf::from) else { continue };
        if !known.contains_key(&path) {
            let contents = Repository::new(&path, &server.system_identifier).contents();
            let contents = contents.map_err(|error| unreadable(&path, &error).at(desired.place_of(PATH)))?;
            known.insert(path.clone(), contents);
        }
        let Some(contents) = known.get(&path) else { continue };
        let due = match forced.filter(|forced| forced.is_meant(&desired.address)) {
            Some(forced) => Some(due::Due { why: "asked for".to_owned(), sort: forced.sort, expires: Vec::new() }),
            None if forced.is_some() => None,
            None => due::due(desired, contents, Timestamp::now()),
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

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(&REPOSITORY, format!("the repository at {} cannot be read: {error}", path.display()))
        .help("it must be a folder of this machine that whoever runs Chronoform may read and write")
}

/// One piece of work, as a plan has it.
struct Piece<'a> {
    task: &'a Task,
    repository: Repository,
    path: PathBuf,
}

impl<'a> Piece<'a> {
    fn read(task: &'a Task) -> Result<Self, Trouble> {
        let text = |name: &str| task.arguments.get(name).and_then(Value::as_text);
        let (Some(path), Some(cluster)) = (text(PATH), text("cluster")) else {
            return Err(Trouble::Program("the plan's work has no repository".to_owned()));
        };
        Ok(Self { task, repository: Repository::new(Path::new(path), cluster), path: PathBuf::from(path) })
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

    fn contents(&self) -> Result<Contents, Trouble> {
        self.repository.contents().map_err(|error| Trouble::file(&self.path, error))
    }

    fn hold(&self) -> Result<repository::Hold, Trouble> {
        match self.repository.hold() {
            Ok(Some(hold)) => Ok(hold),
            Ok(None) => Err(Trouble::Refused {
                message: format!("somebody else is at work in the repository {}", self.path.display()),
                help: "let that end, and run this again".to_owned(),
            }),
            Err(error) => Err(Trouble::file(&self.path, error)),
        }
    }
}

/// The newest segment of WAL in a repository.
pub fn newest_wal(repository: &Repository) -> Option<String> {
    wal::names(repository).ok()?.into_iter().rfind(|name| name.len() == 24)
}

/// Does a piece of work.
///
/// # Errors
/// What stopped it.
pub fn carry_out(
    task: &Task,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let piece = Piece::read(task)?;
    let _hold = piece.hold()?;
    match piece.text("work") {
        Some(work::BACKUP) => back_up(&piece, session, interrupt, tell),
        Some(work::VERIFY) => verify(&piece, interrupt, tell),
        Some(work::DRILL) => drill(&piece, session, interrupt, tell),
        Some(work::EXPIRE) => expire(&piece, interrupt, tell),
        other => Err(Trouble::Program(format!("nobody knows the work `{}`", other.unwrap_or_default()))),
    }
}

fn back_up(
    piece: &Piece<'_>,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let contents = piece.contents()?;
    let about = server::about(session)?;
    let archives = piece.is(WAL);
    if archives && !about.archives {
        return Err(Trouble::Refused {
            message: "the server does not archive its WAL, and no backup is whole without it".to_owned(),
            help: "run `chronoform apply`, and restart the server if that says so".to_owned(),
        });
    }
    let programs = Programs::find(piece.programs(), about.version / 10_000, piece.repository.owner())?;
    let order = take::Order {
        repository: &piece.repository,
        contents: &contents,
        sort: piece.text(DUE).and_then(Sort::read).unwrap_or(Sort::Full),
        archives,
        max_lag: piece.max_lag(),
        cluster: piece.text("cluster").unwrap_or_default(),
        programs: &programs,
    };
    if archives {
        // Before anything is copied: pg_basebackup would wait for WAL that never comes.
        let name = format!("chronoform backup {}", repository::stamp(Timestamp::now()));
        server::archived(&piece.repository, &name, piece.max_lag(), session, interrupt, tell)?;
    }
    let record = take::take(&order, &about, session, interrupt, tell)?;
    if let Some(window) = piece.span(WINDOW)
        && record.stopped.duration_since(record.started) > window
    {
        tell(&format!("{} took longer than the {window:#} that its policy allows", record.label));
    }
    Ok(())
}

fn verify(piece: &Piece<'_>, interrupt: &Interrupt, tell: &mut dyn FnMut(&str)) -> Result<(), Trouble> {
    let began = Timestamp::now();
    let problems = verify_all(&piece.repository, piece.text("cluster").unwrap_or_default(), interrupt, tell)?;
    let wrong: Vec<String> =
        problems.into_iter().filter_map(|(what, problem)| Some(format!("{what}: {}", problem?))).collect();
    if wrong.is_empty() {
        return piece.repository.keep_verified(began).map_err(|error| Trouble::file(&piece.path, error));
    }
    Err(Trouble::NotWhole(wrong.join("; ")))
}

/// Reads everything in a repository again. Gives each backup, and WAL as a whole, with what is wrong with it.
///
/// # Errors
/// When the repository cannot be looked through.
pub fn verify_all(
    repository: &Repository,
    cluster: &str,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<Vec<(String, Option<String>)>, Trouble> {
    let contents = repository.contents().map_err(|error| Trouble::file(&repository.wal(), error))?;
    let mut found: Vec<(String, Option<String>)> =
        contents.damaged.iter().map(|(path, why)| (path.display().to_string(), Some(why.clone()))).collect();
    for record in &contents.backups {
        let proved = match prove::backup(repository, record, interrupt, tell) {
            Ok(()) if record.has_wal => None,
            Ok(()) => prove::missing(repository, &record.wal, record.segment_bytes)
                .first()
                .map(|name| format!("{name}, which it needs, is not in the repository")),
            Err(Trouble::Interrupted) => return Err(Trouble::Interrupted),
            Err(trouble) => Some(trouble.to_string()),
        };
        found.push((record.label.clone(), proved));
    }
    let names = wal::names(repository).map_err(|error| Trouble::file(&repository.wal(), error))?;
    tell(&format!("reading {} files of WAL", names.len()));
    for name in &names {
        if interrupt.is_requested() {
            return Err(Trouble::Interrupted);
        }
        if let Err(error) = wal::prove(repository, cluster, name) {
            found.push((format!("WAL {name}"), Some(error.to_string())));
        }
    }
    found.extend(gaps(&contents, &names));
    Ok(found)
}

/// Where WAL is missing between the oldest backup and the newest segment of its timeline: a server cannot be
/// brought past it.
fn gaps(contents: &Contents, names: &[String]) -> Vec<(String, Option<String>)> {
    let Some(oldest) = contents.backups.iter().find(|record| !record.has_wal) else { return Vec::new() };
    let size = oldest.segment_bytes;
    let Some(range) = oldest.wal.first() else { return Vec::new() };
    let from = wal::Segment::at(range.timeline, range.from, size);
    let mut found = Vec::new();
    let mut before: Option<wal::Segment> = None;
    for segment in names.iter().filter_map(|name| wal::Segment::read(name, size)).filter(|segment| *segment >= from) {
        if let Some(before) = before.filter(|before| before.timeline == segment.timeline)
            && segment.number > before.number + 1
        {
            let missing = wal::Segment { number: before.number + 1, ..before }.name(size);
            let count = segment.number - before.number - 1;
            found.push((format!("WAL {missing}"), Some(format!("it and {} more are missing", count - 1))));
        }
        before = Some(segment);
    }
    found
}

fn drill(
    piece: &Piece<'_>,
    session: &mut Session,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let contents = piece.contents()?;
    let order = drill::Order {
        repository: &piece.repository,
        path: &piece.path,
        contents: &contents,
        cluster: piece.text("cluster").unwrap_or_default(),
        archives: piece.is(WAL),
        max_lag: piece.max_lag(),
        rpo: piece.span(RPO),
        rto: piece.span(RTO),
        programs: piece.programs(),
    };
    clean_up(&piece.repository, &order)?;
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
fn clean_up(repository: &Repository, order: &drill::Order<'_>) -> Result<(), Trouble> {
    for folder in repository.unfinished_drills().map_err(|error| Trouble::file(order.path, error))? {
        let data = folder.join("data");
        let version = std::fs::read_to_string(data.join("PG_VERSION")).ok();
        if let Some(major) = version.and_then(|text| text.trim().parse().ok())
            && data.join("postmaster.pid").exists()
        {
            let programs = Programs::find(order.programs, major, repository.owner())?;
            let mut stop = programs.command("pg_ctl");
            // One that does not run has nothing to stop.
            let _ = stop.args(["stop", "--mode=immediate", "--wait", "-D"]).arg(&data).output();
        }
        std::fs::remove_dir_all(&folder).map_err(|error| Trouble::file(&folder, error))?;
    }
    Ok(())
}

/// Takes away what is no longer needed: backups by their labels, and then WAL that only they needed.
fn expire(piece: &Piece<'_>, interrupt: &Interrupt, tell: &mut dyn FnMut(&str)) -> Result<(), Trouble> {
    let mut contents = piece.contents()?;
    if let Some((path, why)) = contents.damaged.first() {
        return Err(Trouble::NotWhole(format!(
            "nothing is removed as long as {} cannot be trusted: {why}",
            path.display()
        )));
    }
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
    let expired: Vec<String> = due::expired(keep, &contents, Timestamp::now())
        .into_iter()
        .map(|record| record.label.clone())
        .filter(|label| planned.contains(&label.as_str()))
        .collect();
    let kept: Vec<&Record> = contents.backups.iter().filter(|record| !expired.contains(&record.label)).collect();
    // What is to be gone back to instead is read once more before what could still be is removed.
    for record in kept.first().into_iter().chain(kept.last()) {
        prove::backup(&piece.repository, record, interrupt, tell)?;
        if !record.has_wal {
            prove::wal_of(&piece.repository, &record.cluster, &record.wal, record.segment_bytes)?;
        }
    }
    // The newest first, so that none is left whose prior is gone.
    for label in expired.iter().rev() {
        tell(&format!("removing {label}"));
        piece.repository.remove(label).map_err(|error| Trouble::file(&piece.path, error))?;
    }
    contents.backups.retain(|record| !expired.contains(&record.label));
    let Some(oldest) = contents.backups.first() else { return Ok(()) };
    let Some(range) = oldest.wal.first() else { return Ok(()) };
    let first = wal::Segment::at(range.timeline, range.from, oldest.segment_bytes);
    for name in wal::names(&piece.repository).map_err(|error| Trouble::file(&piece.path, error))? {
        let whole = name.get(..24).unwrap_or_default();
        // Timelines' histories are small, and needed for as long as there is any of their WAL.
        if wal::Segment::read(whole, oldest.segment_bytes).is_some_and(|segment| segment.number < first.number) {
            wal::remove(&piece.repository, &name)?;
        }
    }
    Ok(())
}
