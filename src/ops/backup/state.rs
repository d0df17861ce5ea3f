//! What Chronoform keeps of its own beside backups: who is at work, what drills found, and when everything
//! was read again.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ops::backup::Trouble;
use crate::ops::backup::engine::Finding;
use crate::ops::backup::record::Drill;

/// Where those are kept that cannot be trusted.
const SUSPECTS: &str = "suspects.json";

/// See [`State::suspects`].
#[derive(Default, Serialize, Deserialize)]
struct Suspects {
    backups: BTreeMap<String, String>,
}

/// When everything was read again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verified {
    /// When that began.
    pub at: Timestamp,
}

/// Whom new files belong to: where root works in a folder of somebody else's, to that.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Owner(Option<(u32, u32)>);

impl Owner {
    /// Whom the files below a path are to belong to.
    pub fn of(path: &Path) -> Self {
        let is_root = whoami_is_root();
        let existing = path.ancestors().find_map(|path| fs::metadata(path).ok());
        Self(existing.filter(|meta| is_root && meta.uid() != 0).map(|meta| (meta.uid(), meta.gid())))
    }

    /// Whether new files are root's because nobody else has a folder above them.
    pub fn is_root_for_want_of_another(self) -> bool {
        self.0.is_none() && whoami_is_root()
    }

    /// The user and group, where they are others than one's own.
    pub fn ids(self) -> Option<(u32, u32)> {
        self.0
    }

    /// Gives a file or folder to its owner.
    ///
    /// # Errors
    /// What the file system says.
    pub fn give(self, path: &Path) -> io::Result<()> {
        match self.0 {
            Some((user, group)) => std::os::unix::fs::lchown(path, Some(user), Some(group)),
            None => Ok(()),
        }
    }

    /// Gives all that is below a folder, and that, to its owner.
    ///
    /// # Errors
    /// What the file system says.
    pub fn give_all(self, path: &Path) -> io::Result<()> {
        if self.0.is_none() {
            return Ok(());
        }
        self.give(path)?;
        if fs::symlink_metadata(path)?.is_dir() {
            for entry in fs::read_dir(path)? {
                self.give_all(&entry?.path())?;
            }
        }
        Ok(())
    }

    /// Makes a folder that only its owner may enter, and those above it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn folder(self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        match fs::create_dir(path) {
            Ok(()) => {
                fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
                self.give(path)?;
                path.parent().map_or(Ok(()), sync)
            }
            // Somebody else was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Whether this process may do what only root may. There is no safe call that tells; what it makes does.
fn whoami_is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}

/// Holds a repository for one process at a time.
pub struct Hold(#[expect(dead_code, reason = "held until it is dropped")] File);

/// What is locked by whoever reads backups, all together, or takes some away, alone.
const READING: &str = "reading";

/// Whether it says that nothing can be written there.
fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::NotFound
    )
}

/// A folder with those records.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct State {
    root: PathBuf,
    owner: Owner,
}

impl State {
    /// The one in a folder, whose files belong to somebody.
    pub fn new(root: PathBuf, owner: Owner) -> Self {
        Self { root, owner }
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Whom its files belong to.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// Where a drill is done.
    pub fn drill_folder(&self, started: Timestamp) -> PathBuf {
        self.root.join(format!("drill-{}-{}", stamp(started), std::process::id()))
    }

    /// Whether a folder is one in which a drill is done.
    pub fn is_of_a_drill(&self, folder: &Path) -> bool {
        let first = folder.strip_prefix(&self.root).ok().and_then(|inside| inside.iter().next());
        first.is_some_and(|name| name.to_string_lossy().starts_with("drill-"))
    }

    /// What drills left that ended before they were done.
    ///
    /// # Errors
    /// What the file system says.
    pub fn unfinished_drills(&self) -> io::Result<Vec<PathBuf>> {
        let begins = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("drill-"));
        Ok(entries(&self.root)?.into_iter().filter(begins).collect())
    }

    /// Keeps what came of a drill, beside all others: a small database takes less than a second, and what one
    /// found out is not to be written over by the next.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep_drill(&self, drill: &Drill) -> io::Result<()> {
        let folder = self.root.join("drills");
        self.owner.folder(&folder)?;
        // Nobody else writes here meanwhile: whoever does a drill holds the repository.
        let file = (1_u32..)
            .map(|nth| match nth {
                1 => folder.join(format!("{}.json", stamp(drill.started))),
                _ => folder.join(format!("{}-{nth}.json", stamp(drill.started))),
            })
            .find(|file| !file.exists());
        self.write(&file.unwrap_or(folder), drill)
    }

    /// What was found of backups when they were read last: those that cannot be trusted, each with what is wrong
    /// with it.
    pub fn suspects(&self) -> BTreeMap<String, String> {
        read_json::<Suspects>(&self.root.join(SUSPECTS)).unwrap_or_default().backups
    }

    /// Keeps which of these backups cannot be trusted: each counts for nothing until it is found whole again.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep_suspects(&self, found: &[Finding], labels: &[&str]) -> Result<BTreeMap<String, String>, Trouble> {
        let mut suspects = Suspects::default();
        for (what, why) in found {
            if let Some(why) = why.as_ref().filter(|_| labels.contains(&what.as_str())) {
                suspects.backups.entry(what.clone()).or_insert_with(|| why.clone());
            }
        }
        let file = self.root.join(SUSPECTS);
        // Most often there are none, and were none.
        if !suspects.backups.is_empty() || file.exists() {
            self.write(&file, &suspects).map_err(|error| Trouble::file(&file, error))?;
        }
        Ok(suspects.backups)
    }

    /// Keeps that everything was read again.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep_verified(&self, at: Timestamp) -> io::Result<()> {
        self.owner.folder(&self.root)?;
        self.write(&self.root.join("verified.json"), &Verified { at })
    }

    /// Every drill, oldest first.
    ///
    /// # Errors
    /// What the file system says.
    pub fn drills(&self) -> io::Result<Vec<Drill>> {
        let found = entries(&self.root.join("drills"))?.into_iter().filter_map(|path| read_json::<Drill>(&path));
        let mut drills: Vec<Drill> = found.collect();
        drills.sort_by_key(|drill| drill.started);
        Ok(drills)
    }

    /// When everything was read again last.
    pub fn verified(&self) -> Option<Timestamp> {
        read_json::<Verified>(&self.root.join("verified.json")).map(|verified| verified.at)
    }

    /// Holds it against everybody else who would write backups to it or take some away. None where
    /// somebody holds it already.
    ///
    /// # Errors
    /// What the file system says.
    pub fn hold(&self) -> io::Result<Option<Hold>> {
        self.owner.folder(&self.root)?;
        let file = self.open("lock")?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Hold(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Keeps what is there from being taken away as long as somebody reads it: see [`State::alone`]. Nothing
    /// where this process may write nothing there, as beside a repository that is mounted to be read only.
    ///
    /// # Errors
    /// What the file system says.
    pub fn reading(&self) -> io::Result<Option<Hold>> {
        let file = match self.open(READING) {
            Ok(file) => file,
            Err(error) if is_closed(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(Some(Hold(file))),
            // Something is being taken away at this moment, which does not take long.
            Err(TryLockError::WouldBlock) => file.lock_shared().map(|()| Some(Hold(file))),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Sees to it that nobody reads what is there. None where somebody does.
    ///
    /// # Errors
    /// What the file system says.
    pub fn alone(&self) -> io::Result<Option<Hold>> {
        let file = self.open(READING)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Hold(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn open(&self, name: &str) -> io::Result<File> {
        let path = self.root.join(name);
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
        self.owner.give(&path)?;
        Ok(file)
    }

    /// Writes a small file, whole or not at all.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write<T: Serialize>(&self, path: &Path, value: &T) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(value).map_err(io::Error::other)?;
        let beside = path.with_extension("partial");
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        self.owner.give(&beside)?;
        fs::rename(&beside, path)?;
        path.parent().map_or(Ok(()), sync)
    }
}

/// A moment as a part of a file's name.
pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Brings a folder's entries to the disk.
///
/// # Errors
/// What the file system says.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// What is in a folder; nothing where it is not there.
///
/// # Errors
/// What the file system says.
pub fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What is only told to people and decides when something is done again: one that cannot be read is none,
/// and the work is due.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::backup::record::drill_at;

    #[test]
    fn drills_of_one_second_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(folder.path().to_owned(), Owner::default());
        let drill =
            |started: &str, label: &str| Drill { label: label.to_owned(), ..drill_at(started.parse().unwrap()) };
        let kept = [
            drill("2026-11-28T02:16:17.1Z", "first"),
            drill("2026-11-28T02:16:17.4Z", "second"),
            drill("2026-11-28T02:16:17.4Z", "third"),
        ];
        for drill in &kept {
            state.keep_drill(drill).unwrap();
        }
        let mut found: Vec<String> = state.drills().unwrap().into_iter().map(|drill| drill.label).collect();
        found.sort();
        assert_eq!(found, ["first", "second", "third"]);
    }

    #[test]
    fn nothing_is_taken_away_while_somebody_reads() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(folder.path().to_owned(), Owner::default());
        let first = state.reading().unwrap().unwrap();
        let second = state.reading().unwrap().unwrap();
        assert!(state.alone().unwrap().is_none());
        drop(first);
        assert!(state.alone().unwrap().is_none());
        drop(second);
        assert!(state.alone().unwrap().is_some());
        // Who is at work is another matter: a backup may be made meanwhile.
        let _work = state.hold().unwrap().unwrap();
        assert!(state.reading().unwrap().is_some());
        let nowhere = State::new(folder.path().join("none"), Owner::default());
        assert!(nowhere.reading().unwrap().is_none());
    }
}
