//! A store's folder: where each chunk's file and manifest are, and how they come to be there.
//!
//! A file is written under another name, brought to the disk, and only then given its own; its manifest
//! comes last, in the same way. What has a manifest is therefore whole, and what has none is nothing:
//! left behind by a run that ended before it was done.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::core::{Fingerprint, QualifiedName};

/// How the names of unfinished files end.
const PARTIAL: &str = ".partial";
/// How the names of manifests end.
const MANIFEST: &str = ".json";

/// The part of a store that one table of one database has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shelf {
    folder: PathBuf,
}

/// A chunk's place: its names without what they end with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot(String);

impl Slot {
    /// The slot of a chunk and its range, as the server prints it. `digest` tells apart what was written
    /// of one chunk at different times.
    pub fn new(chunk: &QualifiedName, from: &str, until: &str, digest: &str) -> Self {
        let digest: String = digest.chars().take(12).collect();
        Self(format!("{}_{}_{}_{digest}", safe(from), safe(until), safe(&chunk.name)))
    }

    /// The data file's name.
    pub fn data(&self) -> String {
        format!("{}.parquet", self.0)
    }

    /// The manifest's.
    pub fn manifest(&self) -> String {
        format!("{}{MANIFEST}", self.0)
    }
}

/// A text as a part of a file's name, on any file system: what could mean something else is written by
/// its bytes.
fn safe(text: &str) -> String {
    let mut name = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => name.push(char::from(byte)),
            b' ' => name.push('T'),
            b':' => name.push('-'),
            _ => name.push_str(&format!("%{byte:02X}")),
        }
    }
    // A table's name of 63 bytes may be three times as long; a file's has 255.
    match name.char_indices().nth(180) {
        Some((end, _)) => {
            let digest = Fingerprint::of(text.as_bytes());
            let short: String = digest.as_str().chars().rev().take(16).collect();
            format!("{}~{short}", name.get(..end).unwrap_or_default())
        }
        None => name,
    }
}

/// The part of a store that one database has: by the cluster's system identifier and its name.
pub fn database_folder(store: &Path, (cluster, name): (&str, &str)) -> PathBuf {
    store.join(format!("{}-{}", safe(cluster), safe(name)))
}

impl Shelf {
    /// The shelf of a table. `database` is the cluster's system identifier and the database's name, so
    /// that several may share a store.
    pub fn new(store: &Path, database: (&str, &str), table: &QualifiedName) -> Self {
        let table = format!("{}.{}", safe(&table.schema), safe(&table.name));
        Self { folder: database_folder(store, database).join(table) }
    }

    /// Begins an unfinished file, in place of what an earlier run left behind of it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn begin(&self, chunk: &QualifiedName) -> io::Result<Unfinished> {
        fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(format!("{}{PARTIAL}", safe(&chunk.name)));
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok(Unfinished { path, file: Some(file) })
    }

    /// Every manifest.
    ///
    /// # Errors
    /// What the file system says.
    pub fn manifests(&self) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
        manifests(&self.folder)
    }

    /// Writes a manifest, whose data file is at its place already.
    ///
    /// # Errors
    /// What the file system says.
    pub fn seal(&self, slot: &Slot, manifest: &[u8]) -> io::Result<()> {
        let partial = self.folder.join(format!("{}{PARTIAL}", slot.manifest()));
        let mut file = File::create(&partial)?;
        file.write_all(manifest)?;
        file.sync_all()?;
        fs::rename(&partial, self.folder.join(slot.manifest()))?;
        sync(&self.folder)
    }

    /// Opens a data file.
    ///
    /// # Errors
    /// What the file system says.
    pub fn open(&self, name: &str) -> io::Result<File> {
        File::open(self.folder.join(name))
    }
}

/// Every manifest of a table's folder, with its file's name, in the order of their names, which is that of
/// time. A folder that does not exist has none.
///
/// # Errors
/// What the file system says.
pub fn manifests(folder: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            let bytes = fs::read(&path)?;
            found.push((path, bytes));
        }
    }
    found.sort();
    Ok(found)
}

/// A file that is being written, and goes again unless it is kept.
pub struct Unfinished {
    path: PathBuf,
    file: Option<File>,
}

impl Unfinished {
    /// The file, to be written to and read back.
    ///
    /// # Errors
    /// What the file system says.
    pub fn file(&self) -> io::Result<File> {
        match &self.file {
            Some(file) => file.try_clone(),
            None => Err(io::Error::other("the file is finished")),
        }
    }

    /// Opens it anew, to read what has been written.
    ///
    /// # Errors
    /// What the file system says.
    pub fn reopen(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Gives it its name.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep(mut self, shelf: &Shelf, slot: &Slot) -> io::Result<()> {
        if let Some(file) = self.file.take() {
            file.sync_all()?;
        }
        fs::rename(&self.path, shelf.folder.join(slot.data()))?;
        sync(&shelf.folder)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if self.file.is_some() {
            // What cannot be removed is no harm: without a manifest it is nothing.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Brings to the disk what entries the folder of a file has.
///
/// # Errors
/// What the file system says.
pub fn sync_folder_of(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), sync)
}

/// Brings a folder's own entries to the disk, without which a rename may be lost.
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf(folder: &Path) -> Shelf {
        Shelf::new(folder, ("7", "trading"), &QualifiedName::new("public", "trades"))
    }

    fn chunk() -> QualifiedName {
        QualifiedName::new("_timescaledb_internal", "_hyper_1_1_chunk")
    }

    #[test]
    fn names_are_safe_and_tell_everything_apart() {
        assert_eq!(safe("2026-01-01 00:00:00+00"), "2026-01-01T00-00-00%2B00");
        assert_eq!(safe("../etc"), "..%2Fetc");
        assert_ne!(safe("a/b"), safe("a%2Fb"));
        let long = "é".repeat(90);
        assert!(safe(&long).len() < 210 && safe(&long) != safe(&format!("{long}x")));
    }

    #[test]
    fn what_is_not_kept_goes_and_what_is_kept_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path());
        let unfinished = shelf.begin(&chunk()).unwrap();
        unfinished.file().unwrap().write_all(b"rows").unwrap();
        drop(unfinished);
        assert_eq!(fs::read_dir(&shelf.folder).unwrap().count(), 0);

        let slot = Slot::new(&chunk(), "2026-01-01 00:00:00+00", "2026-01-02 00:00:00+00", "abcdef0123456789");
        let unfinished = shelf.begin(&chunk()).unwrap();
        unfinished.file().unwrap().write_all(b"rows").unwrap();
        unfinished.keep(&shelf, &slot).unwrap();
        assert!(shelf.manifests().unwrap().is_empty(), "without a manifest it is nothing");
        shelf.seal(&slot, b"{}").unwrap();
        assert_eq!(shelf.manifests().unwrap().len(), 1);
        assert_eq!(io::read_to_string(shelf.open(&slot.data()).unwrap()).unwrap(), "rows");
    }
}
