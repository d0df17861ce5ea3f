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

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::{Bytes, Fingerprint};
use crate::ops::backup::Trouble;
use crate::ops::backup::due;
use crate::ops::backup::record::{Backup, Contents, Damaged, Sort, WalRange};
use crate::ops::backup::state::{Owner, State, entries, sync};

/// How a record's file is called.
const RECORD: &str = "backup.json";
/// How the names of unfinished backups begin.
const UNFINISHED: &str = "unfinished-";
/// The version of the records.
const FORMAT: u32 = 1;

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
    /// The same by the server's clock, since records have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
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
    pub settings: BTreeMap<String, String>,
    /// When it was read back and found whole, the first time.
    pub verified: Timestamp,
    /// Who made it.
    pub tool_version: String,
    /// The digest of all that is before.
    #[serde(default)]
    pub digest: String,
}

impl Record {
    /// The form of a new one.
    pub const FORMAT: u32 = FORMAT;

    /// What of it counts for every engine.
    pub fn backup(&self) -> Backup {
        Backup {
            label: self.label.clone(),
            sort: self.sort,
            prior: self.prior.clone(),
            cluster: self.cluster.clone(),
            server_version: self.server_version,
            started: self.started,
            stopped: self.stopped,
            ended: self.ended.unwrap_or(self.stopped),
            wal: self.wal.clone(),
            segment_bytes: self.segment_bytes,
            has_wal: self.has_wal,
            data_bytes: self.data_bytes,
            bytes: Bytes(self.parts.iter().map(|part| part.bytes).sum()),
            settings: self.settings.clone(),
        }
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

/// A cluster's part of a repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repository {
    root: PathBuf,
    state: State,
}

impl Repository {
    /// The part of a cluster in the repository at a path.
    pub fn new(path: &Path, cluster: &str) -> Self {
        let root = path.join(cluster);
        Self { state: State::new(root.clone(), Owner::of(path)), root }
    }

    /// The clusters that have a part in the repository at a path; none where there is no repository.
    ///
    /// # Errors
    /// What the file system says.
    pub fn clusters(path: &Path) -> io::Result<Vec<String>> {
        let names =
            fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
        let mut names = names.collect::<io::Result<Vec<String>>>()?;
        names.retain(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()));
        names.sort();
        Ok(names)
    }

    /// What is kept beside the backups.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whom its files belong to.
    pub fn owner(&self) -> Owner {
        self.state.owner()
    }

    /// The record of a backup.
    ///
    /// # Errors
    /// Why it cannot be trusted.
    pub fn record(&self, label: &str) -> Result<Record, Trouble> {
        let file = self.backup(label).join(RECORD);
        read_record(&file, label).map_err(|why| Trouble::NotWhole(format!("{}: {why}", file.display())))
    }

    /// Where WAL is.
    pub fn wal(&self) -> PathBuf {
        self.root.join("wal")
    }

    /// A backup's folder.
    pub fn backup(&self, label: &str) -> PathBuf {
        self.root.join("backups").join(label)
    }

    /// A new backup's folder, as long as it is not whole. What an earlier try left is removed.
    ///
    /// # Errors
    /// What the file system says.
    pub fn begin(&self, label: &str) -> io::Result<PathBuf> {
        let backups = self.root.join("backups");
        self.owner().folder(&backups)?;
        for entry in fs::read_dir(&backups)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        let folder = backups.join(format!("{UNFINISHED}{label}"));
        self.owner().folder(&folder)?;
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
        self.state.write(&folder.join(RECORD), &record.sealed())?;
        let whole = self.backup(&record.label);
        fs::rename(folder, &whole)?;
        whole.parent().map_or(Ok(()), sync)
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
            match read_record(&file, &name) {
                Ok(record) => contents.backups.push(record.backup()),
                Err(why) => contents.damaged.push(Damaged::other(file.display().to_string(), why)),
            }
        }
        contents.backups.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.label.cmp(&b.label)));
        // One that goes on from a backup that is not there is none.
        let whole = |backup: &Backup| due::chain(&contents, &backup.label).is_some();
        let (whole, orphans): (Vec<Backup>, Vec<Backup>) = contents.backups.clone().into_iter().partition(whole);
        contents.backups = whole;
        for orphan in orphans {
            let what = self.backup(&orphan.label).join(RECORD).display().to_string();
            contents.damaged.push(Damaged { what, ..orphan.without_prior() });
        }
        contents.drills = self.state.drills()?;
        contents.verified = self.state.verified();
        Ok(contents)
    }
}

fn read_record(file: &Path, label: &str) -> Result<Record, String> {
    let record = Record::of_bytes(&fs::read(file).map_err(|error| error.to_string())?)?;
    if record.label == label { Ok(record) } else { Err(format!("it is the record of {}", record.label)) }
}
