//! A repository: a folder with one cluster's backups and WAL, and what is known of each backup.
//!
//! ```text
//! <path>/<system identifier>/
//!   backups/<label>/   base.tar.zst, backup_manifest, …, and last of all backup.json
//!   wal/<timeline and log>/<segment>.zst
//!   drills/<time>.json
//!   verified.json      when everything was read again
//! ```
//!
//! A backup is made under another name and gets its own once its record is in it and all of it is on the
//! disk: a folder with a label's name is a whole backup, and any other is left over from one that ended
//! before it was done.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::core::{Bytes, Fingerprint};
use crate::ops::backup::due;
use crate::ops::backup::wal::Lsn;

/// How a record's file is called.
const RECORD: &str = "backup.json";
/// How the names of unfinished backups begin.
const UNFINISHED: &str = "unfinished-";
/// The version of the records.
const FORMAT: u32 = 1;

/// The sorts of backup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// Of everything.
    Full,
    /// Of what has changed since another.
    Incremental,
}

impl Sort {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
        }
    }

    /// Reads that word.
    pub fn read(word: &str) -> Option<Self> {
        [Self::Full, Self::Incremental].into_iter().find(|sort| sort.as_str() == word)
    }
}

/// A file of a backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Part {
    /// Its name in the backup's folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// What is known of a backup.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// [`FORMAT`].
    pub format: u32,
    /// Its name: when it began, and its sort.
    pub label: String,
    /// Its sort.
    pub sort: Sort,
    /// The backup that it is what has changed since, for an incremental one.
    pub prior: Option<String>,
    /// The cluster's system identifier.
    pub cluster: String,
    /// The server's version, as `SHOW server_version_num` has it.
    pub server_version: u32,
    /// When it began.
    pub started: Timestamp,
    /// When it was done.
    pub stopped: Timestamp,
    /// The WAL that must be replayed before it is consistent, in the order of time.
    pub wal: Vec<WalRange>,
    /// The size of a WAL segment.
    pub segment_bytes: u64,
    /// Whether that WAL is in the backup itself.
    pub has_wal: bool,
    /// How large the server's files are, all of them together.
    pub data_bytes: Bytes,
    /// Its files.
    pub parts: Vec<Part>,
    /// Settings that a server needs to start from it.
    pub settings: std::collections::BTreeMap<String, String>,
    /// When it was read back and found whole, the first time.
    pub verified: Timestamp,
    /// Who made it.
    pub tool_version: String,
    /// The digest of all that is before.
    #[serde(default)]
    pub digest: String,
}

/// A stretch of WAL on one timeline.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct WalRange {
    /// The timeline.
    pub timeline: u32,
    /// Where it begins.
    pub from: Lsn,
    /// Where it ends.
    pub until: Lsn,
}

impl Record {
    /// The form of a new one.
    pub const FORMAT: u32 = FORMAT;

    /// How large it is in the repository.
    pub fn bytes(&self) -> Bytes {
        Bytes(self.parts.iter().map(|part| part.bytes).sum())
    }

    fn sealed(&self) -> Self {
        let open = Self { digest: String::new(), ..self.clone() };
        // A record holds nothing that JSON could not.
        let text = serde_json::to_string(&open).unwrap_or_default();
        Self { digest: Fingerprint::of(text.as_bytes()).as_str().to_owned(), ..open }
    }

    /// Reads one.
    ///
    /// # Errors
    /// Why it cannot be trusted.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self, String> {
        let record: Self = serde_json::from_slice(bytes).map_err(|error| format!("it is no record: {error}"))?;
        if record.format != FORMAT {
            return Err(format!("it is of format {}, and this version knows {FORMAT}", record.format));
        }
        if record.sealed().digest != record.digest {
            return Err("it is not as it was written: its digest differs".to_owned());
        }
        Ok(record)
    }
}

/// What came of a drill.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Drill {
    /// When it began.
    pub started: Timestamp,
    /// The backup that was brought back.
    pub label: String,
    /// The moment to which the server was recovered, in words.
    pub target: String,
    /// Seconds for copying the files back.
    pub restore_seconds: f64,
    /// Seconds from the start of the server until it took connections, recovered.
    pub recovery_seconds: f64,
    /// Seconds until what was committed was in the repository.
    pub lag_seconds: Option<f64>,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// Who did it.
    pub tool_version: String,
}

/// One thing that a drill looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Check {
    /// What.
    pub what: String,
    /// What was found.
    pub found: String,
    /// Whether that is as it should be.
    pub fine: bool,
}

impl Drill {
    /// Whether everything was as it should be.
    pub fn is_passed(&self) -> bool {
        self.checks.iter().all(|check| check.fine)
    }
}

/// When everything was read again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verified {
    /// When that began.
    pub at: Timestamp,
}

/// A cluster's part of a repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repository {
    root: PathBuf,
    owner: Owner,
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

/// What is in a repository.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// Every whole backup, oldest first.
    pub backups: Vec<Record>,
    /// Those whose records cannot be trusted, and why.
    pub damaged: Vec<(PathBuf, String)>,
    /// Every drill, oldest first.
    pub drills: Vec<Drill>,
    /// When everything was read again last.
    pub verified: Option<Timestamp>,
}

/// Holds a repository for one process at a time.
pub struct Hold(#[expect(dead_code, reason = "held until it is dropped")] File);

impl Repository {
    /// The part of a cluster in the repository at a path.
    pub fn new(path: &Path, cluster: &str) -> Self {
        Self { root: path.join(cluster), owner: Owner::of(path) }
    }

    /// Whom its files belong to.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// Where WAL is.
    pub fn wal(&self) -> PathBuf {
        self.root.join("wal")
    }

    /// A backup's folder.
    pub fn backup(&self, label: &str) -> PathBuf {
        self.root.join("backups").join(label)
    }

    /// Where a drill is done.
    pub fn drill_folder(&self, started: Timestamp) -> PathBuf {
        self.root.join(format!("drill-{}-{}", stamp(started), std::process::id()))
    }

    /// What drills left that ended before they were done.
    ///
    /// # Errors
    /// What the file system says.
    pub fn unfinished_drills(&self) -> io::Result<Vec<PathBuf>> {
        let begins = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("drill-"));
        Ok(entries(&self.root)?.into_iter().filter(begins).collect())
    }

    /// A new backup's folder, as long as it is not whole. What an earlier try left is removed.
    ///
    /// # Errors
    /// What the file system says.
    pub fn begin(&self, label: &str) -> io::Result<PathBuf> {
        let backups = self.root.join("backups");
        self.owner.folder(&backups)?;
        for entry in fs::read_dir(&backups)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        let folder = backups.join(format!("{UNFINISHED}{label}"));
        self.owner.folder(&folder)?;
        Ok(folder)
    }

    /// Makes a backup whole: writes its record, brings everything to the disk and gives it its name.
    ///
    /// # Errors
    /// What the file system says.
    pub fn finish(&self, folder: &Path, record: &Record) -> io::Result<()> {
        for part in &record.parts {
            File::open(folder.join(&part.name))?.sync_all()?;
        }
        self.write(&folder.join(RECORD), &record.sealed())?;
        let whole = self.backup(&record.label);
        fs::rename(folder, &whole)?;
        whole.parent().map_or(Ok(()), sync)
    }

    /// Keeps what came of a drill.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep_drill(&self, drill: &Drill) -> io::Result<()> {
        let folder = self.root.join("drills");
        self.owner.folder(&folder)?;
        self.write(&folder.join(format!("{}.json", stamp(drill.started))), drill)
    }

    /// Keeps that everything was read again.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep_verified(&self, at: Timestamp) -> io::Result<()> {
        self.owner.folder(&self.root)?;
        self.write(&self.root.join("verified.json"), &Verified { at })
    }

    /// Takes a backup away. Its record goes first, so that it is never taken for a whole one.
    ///
    /// # Errors
    /// What the file system says.
    pub fn remove(&self, label: &str) -> io::Result<()> {
        let (whole, gone) = (self.backup(label), self.root.join("backups").join(format!("{UNFINISHED}{label}")));
        fs::rename(&whole, &gone)?;
        fs::remove_dir_all(&gone)?;
        whole.parent().map_or(Ok(()), sync)
    }

    /// Looks through it. One that does not exist is empty.
    ///
    /// # Errors
    /// What the file system says.
    pub fn contents(&self) -> io::Result<Contents> {
        let mut contents = Contents::default();
        for path in entries(&self.root.join("backups"))? {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.starts_with(UNFINISHED) || !path.is_dir() {
                continue;
            }
            let file = path.join(RECORD);
            let read = fs::read(&file).map_err(|error| error.to_string());
            match read.and_then(|bytes| Record::of_bytes(&bytes)) {
                Ok(record) if record.label == name => contents.backups.push(record),
                Ok(record) => contents.damaged.push((file, format!("it is the record of {}", record.label))),
                Err(why) => contents.damaged.push((file, why)),
            }
        }
        contents.backups.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.label.cmp(&b.label)));
        // One that goes on from a backup that is not there is none.
        let whole = |record: &Record| due::chain(&contents, &record.label).is_some();
        let (whole, orphans): (Vec<Record>, Vec<Record>) = contents.backups.clone().into_iter().partition(whole);
        contents.backups = whole;
        for record in orphans {
            let prior = record.prior.as_deref().unwrap_or_default();
            let why = format!("it goes on from {prior}, which is not there or itself goes on from none");
            contents.damaged.push((self.backup(&record.label).join(RECORD), why));
        }
        let drills = entries(&self.root.join("drills"))?.into_iter().filter_map(|path| read_json::<Drill>(&path));
        contents.drills = drills.collect();
        contents.drills.sort_by_key(|drill| drill.started);
        contents.verified = read_json::<Verified>(&self.root.join("verified.json")).map(|verified| verified.at);
        Ok(contents)
    }

    /// Holds it against everybody else who would write backups to it or take some away. None where
    /// somebody holds it already.
    ///
    /// # Errors
    /// What the file system says.
    pub fn hold(&self) -> io::Result<Option<Hold>> {
        self.owner.folder(&self.root)?;
        let path = self.root.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path)?;
        self.owner.give(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Hold(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Writes a small file, whole or not at all.
    fn write<T: Serialize>(&self, path: &Path, value: &T) -> io::Result<()> {
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

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// What is only told to people and decides when something is done again: one that cannot be read is none,
/// and the work is due.
fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
