//! Bringing a backup back: into a folder that is new or empty, never over anything.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::apply::Interrupt;
use crate::core::Bytes;
use crate::ops::backup::engine::Engine;
use crate::ops::backup::reach::reachable;
use crate::ops::backup::record::{Backup, Contents};
use crate::ops::backup::wal::Lsn;
use crate::ops::backup::{Trouble, due};

/// To which moment the server is to be recovered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// As far as there is WAL.
    Latest,
    /// To the end of the backup.
    Backup,
    /// To a moment.
    Time(Timestamp),
    /// To a place in WAL.
    Place(Lsn),
    /// To a named restore point.
    Point(String),
}

impl Target {
    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Latest => "the end of the archived WAL".to_owned(),
            Self::Backup => "the end of the backup".to_owned(),
            Self::Time(time) => time.to_string(),
            Self::Place(lsn) => format!("WAL {lsn}"),
            Self::Point(name) => format!("the restore point `{name}`"),
        }
    }

    /// The settings that say so, where the server follows its timelines to the newest.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut settings = match self {
            Self::Latest => return Vec::new(),
            Self::Backup => vec![("recovery_target", "immediate".to_owned())],
            Self::Time(time) => {
                vec![("recovery_target_time", time.strftime("%Y-%m-%d %H:%M:%S%.f+00").to_string())]
            }
            Self::Place(lsn) => vec![("recovery_target_lsn", lsn.to_string())],
            Self::Point(name) => vec![("recovery_target_name", name.clone())],
        };
        settings.push(("recovery_target_action", "promote".to_owned()));
        settings
    }
}

/// What is to be brought back.
pub struct Order<'a> {
    /// From where.
    pub engine: &'a dyn Engine,
    /// What is there.
    pub contents: &'a Contents,
    /// The backup's label; otherwise the newest that goes with the target.
    pub label: Option<&'a str>,
    /// To which moment.
    pub target: Target,
    /// Where to.
    pub to: &'a Path,
    /// Whether it takes the server's place, and archives its WAL to the same repository from then on.
    pub archives: bool,
    /// How the server calls this program to get its WAL.
    pub program: &'a str,
    /// Where the server's programs are, where that is said.
    pub programs: Option<&'a Path>,
}

impl Order<'_> {
    /// Whether a backup is of a past that the server has left: it is brought back on its own timeline.
    pub fn stays_on_its_timeline(&self, backup: &Backup) -> bool {
        self.contents.left_before(backup).is_some()
    }

    /// The settings that tell a server how far to recover from a backup.
    pub fn settings(&self, backup: &Backup) -> Vec<(&'static str, String)> {
        let mut settings = self.target.settings();
        if self.stays_on_its_timeline(backup) {
            settings.push(("recovery_target_timeline", "current".to_owned()));
        }
        settings
    }
}

/// The backup to begin with.
///
/// # Errors
/// When there is none.
pub fn choose<'a>(order: &Order<'a>) -> Result<&'a Backup, Trouble> {
    let refuse = |message: String, help: &str| Err(Trouble::Refused { message, help: help.to_owned() });
    let backups = &order.contents.backups;
    // By a clock that was right: one that was behind made backups that seem to be before they were.
    let by_wal = order.contents.clone().by_wal();
    let ended = |label: &str| by_wal.backups.iter().find(|it| it.label == label).map(|it| it.ended);
    let is_done_by = |record: &Backup| match &order.target {
        Target::Latest | Target::Backup | Target::Point(_) => true,
        Target::Time(time) => ended(&record.label).is_some_and(|ended| ended <= *time),
        Target::Place(lsn) => record.wal.iter().all(|range| range.until <= *lsn),
    };
    if let Some(label) = order.label {
        return match backups.iter().find(|record| record.label == label) {
            Some(record) if order.target != Target::Backup && record.has_wal => Err(alone_to_its_end(record)),
            Some(record) if is_done_by(record) => Ok(record),
            // Its files have what came until then, and from there on a server stops at the first that comes after.
            Some(record) => refuse(
                format!("{label} was not done before {}: it ended at {}", order.target.words(), end(record, &ended)),
                "choose a later moment; without --label, the newest backup before that moment is taken",
            ),
            None => refuse(format!("the repository has no backup `{label}`"), "`chronoform backup list` shows them"),
        };
    }
    if let Some(refused) = newer_alone(order) {
        return Err(refused);
    }
    // One with its own WAL is good for its own end only.
    let of_use = |record: &&'a Backup| order.target == Target::Backup || !record.has_wal;
    let backups: Vec<&'a Backup> = order.contents.own().filter(of_use).collect();
    let found = match &order.target {
        Target::Latest | Target::Backup | Target::Point(_) => backups.iter().max_by_key(|record| record.ends()),
        Target::Time(_) => {
            backups.iter().filter(|record| is_done_by(record)).max_by_key(|record| (record.ends(), record.ended))
        }
        Target::Place(_) => backups.iter().rfind(|record| is_done_by(record)),
    };
    match (found, backups.first()) {
        (Some(record), _) => Ok(*record),
        (None, None) => match (order.contents.newest(), order.contents.backups.last()) {
            (Some(alone), _) => Err(alone_to_its_end(alone)),
            (None, Some(left)) => refuse(
                format!(
                    "there is no backup of the server's past: {} is of {}",
                    left.label,
                    order.contents.left_behind(left).unwrap_or_default()
                ),
                &format!("`--label {}` brings the server back on the timeline that it has left", left.label),
            ),
            (None, None) => refuse("the repository has no backup".to_owned(), "`chronoform backup run` makes one"),
        },
        (None, Some(first)) => refuse(
            format!("no backup was done before {}", order.target.words()),
            &format!("the oldest, {}, was done at {}: choose a later moment", first.label, first.ended),
        ),
    }
}

/// Where a backup ends: in time, and in the WAL.
fn end(record: &Backup, ended: &dyn Fn(&str) -> Option<Timestamp>) -> String {
    let at = ended(&record.label).unwrap_or(record.ended);
    record
        .wal
        .iter()
        .map(|range| range.until)
        .max()
        .map_or_else(|| at.to_string(), |until| format!("{at}, WAL {until}"))
}

/// Why nobody is brought back to the end of the archived WAL where a backup that has its own is newer: what came in
/// between would be missed.
fn newer_alone(order: &Order<'_>) -> Option<Trouble> {
    let newest = order.contents.newest().filter(|newest| order.target == Target::Latest && newest.has_wal)?;
    let before = order.contents.own().filter(|record| !record.has_wal).max_by_key(|record| record.ends())?;
    Some(Trouble::Refused {
        message: format!(
            "{} was made without archived WAL, and is newer than {}, from which the archived WAL goes on",
            newest.label, before.label
        ),
        help: format!(
            "`--no-wal` brings the server back to the end of {}; `--label {}` to the end of the archived WAL",
            newest.label, before.label
        ),
    })
}

/// Why one that has its own WAL goes to no moment.
fn alone_to_its_end(record: &Backup) -> Trouble {
    Trouble::Refused {
        message: format!("{} was made without archived WAL, and only its own end can be gone back to", record.label),
        help: "`--no-wal` brings it back to that".to_owned(),
    }
}

/// Brings it back. Gives the backup that it was.
///
/// # Errors
/// What kept it; then the folder is as it was.
pub fn restore<'a>(
    order: &Order<'a>,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<&'a Backup, Trouble> {
    let state = order.engine.state();
    let _reading = state.reading().map_err(|error| Trouble::file(state.root(), error))?;
    let record = choose(order)?;
    let Some(chain) = due::chain(order.contents, &record.label) else {
        let message = format!("{} goes on from a backup that is not in the repository", record.label);
        return Err(Trouble::NotWhole(message));
    };
    if order.target != Target::Backup && record.has_wal {
        return Err(alone_to_its_end(record));
    }
    if !record.has_wal
        && let Some(missing) = order.engine.missing_wal(record)?
    {
        return Err(Trouble::NotWhole(format!("{} needs {missing}, which the repository has lost", record.label)));
    }
    reachable(order, record)?;
    let was_there = prepare(order.to, order.engine)?;
    if let Err(trouble) = room(order.to, order.engine.room(&chain)) {
        // Back to what it was, as below.
        let _ = clear(order.to, was_there);
        return Err(trouble);
    }
    let done = order.engine.fill(&chain, order, interrupt, tell);
    if done.is_err() {
        // Back to what it was: what is left where this fails is seen by the next try, which refuses it.
        let _ = clear(order.to, was_there);
    }
    done.map(|()| record)
}

/// Refuses what would fill a disk, with which the live server may have its own files on it. What the disk does not
/// tell keeps nobody from trying.
fn room(to: &Path, needed: Bytes) -> Result<(), Trouble> {
    let Ok(disk) = rustix::fs::statvfs(to) else { return Ok(()) };
    let free = Bytes(disk.f_bavail.saturating_mul(disk.f_frsize));
    if free >= needed {
        return Ok(());
    }
    let message = format!("{} has room for {free}, and the server's files take {needed}", to.display());
    let help = "name a folder on a larger disk, or make room".to_owned();
    Err(Trouble::Refused { message, help })
}

/// Whether the folder was there, which it may be if it is empty.
fn prepare(to: &Path, engine: &dyn Engine) -> Result<bool, Trouble> {
    let refuse = |message: String| {
        let help = "name a folder that is not there yet; nothing is ever restored over anything".to_owned();
        Err(Trouble::Refused { message, help })
    };
    let place = real(to);
    if let Some(data) = place.ancestors().skip(1).find(|parent| parent.join("PG_VERSION").exists()) {
        return refuse(format!("{} is in a server's data folder, {}", to.display(), data.display()));
    }
    // A drill has its own place there.
    let kept = engine.folders().into_iter().find(|folder| place.starts_with(real(folder)));
    if let Some(kept) = kept.filter(|_| !engine.state().is_of_a_drill(to)) {
        return refuse(format!("{} is where backups are kept, in {}", to.display(), kept.display()));
    }
    // Where this one's tablespaces would go, and what a failure would remove again.
    if tablespaces(to).exists() {
        return refuse(format!("{} is there already", tablespaces(to).display()));
    }
    match fs::read_dir(to) {
        Ok(mut entries) => match entries.next() {
            None => Ok(true),
            Some(_) if to.join("postmaster.pid").exists() => {
                refuse(format!("{} is the folder of a server that runs, or did not end well", to.display()))
            }
            Some(_) => refuse(format!("{} is not empty", to.display())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::create_dir_all(to).map_err(|error| Trouble::file(to, error))?;
            Ok(false)
        }
        Err(error) => Err(Trouble::file(to, error)),
    }
}

/// A path without links and `..`, as far as it is there.
pub fn real(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    let Some((above, real)) = there else { return path.to_owned() };
    path.strip_prefix(above).map_or_else(|_| path.to_owned(), |rest| real.join(rest))
}

fn clear(to: &Path, was_there: bool) -> io::Result<()> {
    let beside = tablespaces(to);
    if beside.exists() {
        fs::remove_dir_all(beside)?;
    }
    for entry in fs::read_dir(to)? {
        let path = entry?.path();
        if path.is_dir() && !path.is_symlink() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
    }
    if was_there { Ok(()) } else { fs::remove_dir(to) }
}

/// Where tablespaces go: never to where the server that was backed up may still have them.
pub fn tablespaces(to: &Path) -> PathBuf {
    let mut name = to.file_name().unwrap_or_default().to_owned();
    name.push(".tablespaces");
    to.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_what_it_leads_to() {
        let folder = tempfile::tempdir().unwrap();
        let real_one = folder.path().canonicalize().unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("link")).unwrap();
        assert_eq!(real(&folder.path().join("link/a/b")), real_one.join("a/b"));
        assert_eq!(real(folder.path()).join(""), real_one.join(""));
    }

    #[test]
    fn what_has_no_room_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(room(folder.path(), Bytes(1)).is_ok());
        let Err(Trouble::Refused { message, .. }) = room(folder.path(), Bytes(u64::MAX / 4)) else { panic!() };
        assert!(message.contains("has room for"), "{message}");
    }
}
