//! A store: where each chunk's file and manifest are, and how they come to be there.
//!
//! A file is whole before it has its name, or is none; its manifest comes last, once the file has been read
//! back from where it stays. What has a manifest is therefore whole, and what has none is nothing: left behind
//! by a run that ended before it was done. Names are the same in a folder and in a bucket:
//! `database/table/slot`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::bucket::Put;
use crate::core::{Address, Desired, Fingerprint, QualifiedName, Value};
use crate::kinds::archive_store::{ENCRYPTION, FORMER_KEYS, ID, PATH, S3};
use crate::kinds::repository::FILE;
use crate::ops::archive::sealed::{Sealed, StoreKey};
use crate::ops::archive::{ArchiveError, DataFile};
use crate::ops::archiver::folder;
use crate::ops::archiver::in_bucket::{InBucket, Remote};
use crate::ops::archiver::moment::Moment;
use crate::ops::archiver::trouble::StoreError;
use crate::ops::secret;

/// How the names of manifests end.
pub const MANIFEST: &str = ".json";
/// How those of data files end.
pub const DATA: &str = ".parquet";
/// And what comes behind that where they are encrypted: what is encrypted is no Parquet to others.
pub const SEALED: &str = ".aead";

/// Nobody asks for anything to stop.
fn on() -> bool {
    false
}

/// Where all files are, and the key that those have that are encrypted.
#[derive(Clone, Debug)]
pub struct Store {
    place: Place,
    key: Option<Arc<StoreKey>>,
    /// Those that it had before.
    former: Arc<[StoreKey]>,
}

#[derive(Clone, Debug)]
enum Place {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a bucket.
    Bucket(Arc<InBucket>),
}

impl Store {
    /// By what a resource, or a plan's work, says of it; nothing where that names none.
    ///
    /// # Errors
    /// When what lets into a bucket, or the key, is not at hand, or is none.
    pub fn of<'a>(said: impl Fn(&str) -> Option<&'a Value>) -> Result<Option<Self>, StoreError> {
        let place = match (said(S3), said(PATH).and_then(Value::as_text)) {
            (Some(Value::Map(bucket)), _) => Place::Bucket(Arc::new(InBucket::new(bucket)?)),
            (_, Some(path)) => Place::Folder(PathBuf::from(path)),
            (_, None) => return Ok(None),
        };
        let read = |reference: &str| {
            let missing = || StoreError::NoSecret(vec![format!("`{}`", reference.trim_start_matches(FILE))]);
            StoreKey::read(&secret::value(reference).ok_or_else(missing)?).map_err(StoreError::Sealed)
        };
        let key = said(ENCRYPTION).and_then(Value::as_text).map(read).transpose()?.map(Arc::new);
        let former = said(FORMER_KEYS).map(Value::as_list).unwrap_or_default().iter();
        let former = former.filter_map(Value::as_text).map(read).collect::<Result<_, _>>()?;
        Ok(Some(Self { place, key, former }))
    }

    /// The key that new files are encrypted with, if any.
    pub fn key(&self) -> Option<&StoreKey> {
        self.key.as_deref()
    }

    /// What is in a file, by the name of the key that it is encrypted with, if it is.
    fn unsealed(&self, file: DataFile, key: Option<&str>) -> Result<DataFile, StoreError> {
        let Some(wanted) = key else { return Ok(file) };
        match self.key().into_iter().chain(self.former.iter()).find(|own| own.id() == wanted) {
            Some(key) => Sealed::open(file, key).map_err(|error| {
                // It is the key that the manifest names.
                StoreError::Sealed(match error {
                    ArchiveError::WrongKey { .. } => ArchiveError::Corrupt {
                        why: format!("it cannot be decrypted with the key {wanted}, which its manifest names"),
                    },
                    other => other,
                })
            }),
            None => {
                let given = self.key().map(StoreKey::id);
                Err(StoreError::Sealed(ArchiveError::WrongKey { wanted: Some(wanted.to_owned()), given }))
            }
        }
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        match &self.place {
            Place::Folder(path) => path.display().to_string(),
            Place::Bucket(bucket) => bucket.shown(""),
        }
    }

    /// A file of it, for people.
    pub fn shown(&self, name: &str) -> String {
        match &self.place {
            Place::Folder(path) => path.join(name).display().to_string(),
            Place::Bucket(bucket) => bucket.shown(name),
        }
    }

    /// Every manifest of a part of it, by its name, in the order of their names, which is that of time. A
    /// part that does not exist has none.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn manifests(&self, below: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.manifests_with(below, "")
    }

    /// Only those that have something in their names.
    fn manifests_with(&self, below: &str, part: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        match &self.place {
            Place::Folder(path) => Ok(folder::manifests(path, below, part)?),
            Place::Bucket(bucket) => bucket.manifests(below, part),
        }
    }

    /// One manifest, unless it is gone.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn manifest(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match &self.place {
            Place::Folder(path) => match fs::read(path.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                read => Ok(Some(read?)),
            },
            Place::Bucket(bucket) => bucket.manifest(name),
        }
    }

    /// The name of every manifest of a part of it.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn names(&self, below: &str) -> Result<BTreeSet<String>, StoreError> {
        let names = match &self.place {
            Place::Folder(path) => folder::names(path, below)?,
            Place::Bucket(bucket) => bucket.names(below)?,
        };
        Ok(names.into_iter().filter(|name| name.ends_with(MANIFEST)).collect())
    }

    /// The name of every data file, whether or not it has a manifest.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn data_files(&self) -> Result<Vec<String>, StoreError> {
        let mut names = match &self.place {
            Place::Folder(path) => folder::names(path, "")?,
            Place::Bucket(bucket) => bucket.names("")?,
        };
        names.retain(|name| manifest_of(name).is_some());
        Ok(names)
    }

    /// The name of every unfinished file of a part of it. In a bucket, none has a name.
    ///
    /// # Errors
    /// What the file system says.
    pub fn unfinished(&self, below: &str) -> Result<Vec<String>, StoreError> {
        let Place::Folder(path) = &self.place else { return Ok(Vec::new()) };
        let mut names = folder::names(path, below)?;
        names.retain(|name| name.ends_with(folder::PARTIAL));
        Ok(names)
    }

    /// Opens a data file to read all of it. One in a bucket is brought to this machine. `key` names the one that it
    /// is encrypted with, if it is.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn open(&self, name: &str, key: Option<&str>) -> Result<DataFile, StoreError> {
        let file = match &self.place {
            Place::Folder(path) => DataFile::new(File::open(path.join(name))?)?,
            Place::Bucket(bucket) => bucket.open(name, &on)?,
        };
        self.unsealed(file, key)
    }

    /// Opens a data file to read a little of it, where it is.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn look_into(&self, name: &str, key: Option<&str>) -> Result<DataFile, StoreError> {
        match &self.place {
            Place::Folder(_) => self.open(name, key),
            Place::Bucket(bucket) => {
                let length = bucket.length(name)?;
                let remote = Remote { store: Arc::clone(bucket), name: name.to_owned(), length };
                self.unsealed(DataFile::of(Arc::new(remote), length), key)
            }
        }
    }

    /// Removes a file, for good. One that is not there is gone.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        match &self.place {
            Place::Folder(path) => Ok(folder::remove(&path.join(name))?),
            Place::Bucket(bucket) => bucket.remove(name),
        }
    }
}

/// Every store of the policies of which it can be told where it is.
pub fn stores(desired: &BTreeMap<Address, Desired>) -> Vec<Store> {
    let all = desired.values().filter(|desired| desired.address.kind == ID);
    all.filter_map(|desired| Store::of(|name| desired.get(name)).ok().flatten()).collect()
}

/// The part of a store that one table of one database has.
#[derive(Clone, Debug)]
pub struct Shelf {
    store: Store,
    /// Its name in the store.
    name: String,
}

/// A chunk's place: its names without what they end with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    name: String,
    is_sealed: bool,
    /// How its manifest is called while it is written: one of the same chunk that a killed run has left is written over.
    unfinished: String,
}

impl Slot {
    /// The slot of a chunk and its range, as the server prints it. `digest` tells apart what was written
    /// of one chunk at different times.
    pub fn new(chunk: &QualifiedName, from: &str, until: &str, digest: &str) -> Self {
        let digest: String = digest.chars().take(12).collect();
        let unfinished = format!("{}{MANIFEST}", safe(&chunk.name));
        let name = format!("{}_{}_{}_{digest}", safe(from), safe(until), safe(&chunk.name));
        Self { name, is_sealed: false, unfinished }
    }

    /// The same of a file that is encrypted with a key, by what that is known by, or is not: what has another key
    /// is another file.
    #[must_use]
    pub fn sealed(self, key: Option<&str>) -> Self {
        let Some(key) = key else { return self };
        let name = format!("{}~{}", self.name, key.chars().take(8).collect::<String>());
        Self { name, is_sealed: true, ..self }
    }

    /// The data file's name.
    pub fn data(&self) -> String {
        format!("{}{DATA}{}", self.name, if self.is_sealed { SEALED } else { "" })
    }

    /// The manifest's.
    pub fn manifest(&self) -> String {
        format!("{}{MANIFEST}", self.name)
    }
}

/// What the manifest of a data file is called; nothing for what is no data file.
pub fn manifest_of(name: &str) -> Option<String> {
    let plain = name.strip_suffix(SEALED).unwrap_or(name);
    plain.strip_suffix(DATA).map(|slot| format!("{slot}{MANIFEST}"))
}

/// The range of the chunk that a manifest is of, by its name: nothing where that does not tell it.
pub fn range_of(name: &str) -> Option<(i64, i64)> {
    let own = name.rsplit_once('/').map_or(name, |(_, own)| own);
    let mut ends = own.splitn(3, '_');
    let mut read = || Moment::read(&spelled(ends.next()?)).map(|moment| moment.0);
    Some((read()?, read()?))
}

/// A point in time, out of a file's name.
fn spelled(safe: &str) -> String {
    let safe = safe.replace("%2B", "+");
    match safe.split_once('T') {
        Some((day, time)) => format!("{day} {}", time.replace('-', ":")),
        None => safe,
    }
}

/// How many parts a name has.
pub fn parts(name: &str) -> usize {
    name.split('/').count()
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

/// The part of a store that one database has, by its name in the store: by the cluster's system identifier and
/// the database's name.
pub fn of_database((cluster, name): (&str, &str)) -> String {
    format!("{}-{}", safe(cluster), safe(name))
}

/// The same by the database as manifests name it.
pub fn folder_of(database: &str) -> String {
    of_database(database.split_once('/').unwrap_or((database, "")))
}

/// How the names of a chunk's files in a store begin, whatever was written of it and when.
pub fn beginning(
    database: (&str, &str),
    table: &QualifiedName,
    chunk: &QualifiedName,
    (from, until): (&str, &str),
) -> String {
    format!("{}/{}", shelf_of(database, table), Slot::new(chunk, from, until, "").name)
}

/// The part of a database's that one of its tables has.
fn of_table(table: &QualifiedName) -> String {
    format!("{}.{}", safe(&table.schema), safe(&table.name))
}

/// Whether a name in a store is of a table, of whatever database.
pub fn is_of(name: &str, table: &QualifiedName) -> bool {
    name.split('/').nth(1) == Some(of_table(table).as_str())
}

/// The part of a store that one table of a database has, by its name in the store.
pub fn shelf_of(database: (&str, &str), table: &QualifiedName) -> String {
    format!("{}/{}", of_database(database), of_table(table))
}

impl Shelf {
    /// The shelf of a table. `database` is the cluster's system identifier and the database's name, so
    /// that several may share a store.
    pub fn new(store: &Store, database: (&str, &str), table: &QualifiedName) -> Self {
        Self { store: store.clone(), name: shelf_of(database, table) }
    }

    /// Its name in the store.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.name)
    }

    /// Begins an unfinished file, in place of what an earlier run left behind of it.
    ///
    /// # Errors
    /// What the file system says.
    pub fn begin(&self, chunk: &QualifiedName) -> Result<Unfinished<'_>, StoreError> {
        let (path, file) = match &self.store.place {
            Place::Folder(store) => {
                let (path, file) = folder::begin(&store.join(&self.name), &safe(&chunk.name))?;
                (Some(path), file)
            }
            Place::Bucket(bucket) => (None, bucket.spool()?),
        };
        Ok(Unfinished { shelf: self, path, file, made: None, kept: false })
    }

    /// The manifests that may be of a chunk.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn manifests(&self, chunk: &QualifiedName) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.store.manifests_with(&self.name, &format!("_{}_", safe(&chunk.name)))
    }

    /// Writes a manifest, whose data file is at its place already. Gives the one that is there then.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn seal(&self, slot: &Slot, manifest: Vec<u8>) -> Result<Vec<u8>, StoreError> {
        let name = self.file(&slot.manifest());
        match &self.store.place {
            Place::Folder(store) => folder::seal(&store.join(name), &slot.unfinished, &manifest)?,
            Place::Bucket(bucket) => return bucket.seal(&name, &manifest),
        }
        Ok(manifest)
    }

    /// Opens a data file.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn open(&self, name: &str, key: Option<&str>) -> Result<DataFile, StoreError> {
        self.store.open(&self.file(name), key)
    }

    /// The key that its new files are encrypted with, if any.
    pub fn key(&self) -> Option<&StoreKey> {
        self.store.key()
    }
}

/// A file that is being written, and goes again unless it is kept.
pub struct Unfinished<'a> {
    shelf: &'a Shelf,
    /// Where it is while it is in a folder.
    path: Option<PathBuf>,
    file: File,
    /// The object that was made of it.
    made: Option<String>,
    kept: bool,
}

impl Unfinished<'_> {
    /// The file, to be written to.
    ///
    /// # Errors
    /// What the file system says.
    pub fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// What has been written, to be proved: read from where it stays. What goes into a bucket is put there
    /// first, and is what the bucket gives back. `stop` says whether to give up on the way.
    ///
    /// # Errors
    /// What the file system or the bucket's server says.
    pub fn written(&mut self, slot: &Slot, stop: &dyn Fn() -> bool) -> Result<DataFile, StoreError> {
        let written = match (&self.shelf.store.place, &self.path) {
            (Place::Bucket(bucket), _) => {
                let name = self.shelf.file(&slot.data());
                if bucket.put_file(&name, &self.file, stop)? == Put::Done {
                    self.made = Some(name.clone());
                }
                bucket.open(&name, stop)?
            }
            (_, Some(path)) => DataFile::new(File::open(path)?)?,
            (_, None) => return Err(io::Error::other("the file is nowhere").into()),
        };
        let key = self.shelf.key().filter(|_| slot.is_sealed).map(StoreKey::id);
        self.shelf.store.unsealed(written, key.as_deref())
    }

    /// Keeps it: it has been proved.
    ///
    /// # Errors
    /// What the file system says.
    pub fn keep(mut self, slot: &Slot) -> Result<(), StoreError> {
        if let (Place::Folder(store), Some(path)) = (&self.shelf.store.place, &self.path) {
            folder::keep(&self.file, path, &store.join(self.shelf.file(&slot.data())))?;
        }
        self.kept = true;
        Ok(())
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        // What cannot be removed is no harm: without a manifest it is nothing.
        if let Some(path) = &self.path {
            let _ = fs::remove_file(path);
        }
        if let Some(name) = &self.made {
            let _ = self.shelf.store.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::path::Path;

    use parquet::file::reader::ChunkReader as _;

    use super::*;

    fn shelf(folder: &Path) -> Shelf {
        Shelf::new(
            &Store { place: Place::Folder(folder.to_owned()), key: None, former: Arc::default() },
            ("7", "trading"),
            &QualifiedName::new("public", "trades"),
        )
    }

    fn chunk() -> QualifiedName {
        QualifiedName::new("_timescaledb_internal", "_hyper_1_1_chunk")
    }

    fn text(file: &DataFile) -> String {
        let mut text = String::new();
        file.get_read(0).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn names_are_safe_and_tell_everything_apart() {
        assert_eq!(safe("2026-01-01 00:00:00+00"), "2026-01-01T00-00-00%2B00");
        assert_eq!(safe("../etc"), "..%2Fetc");
        assert_ne!(safe("a/b"), safe("a%2Fb"));
        let range = |from: &str, until: &str| {
            range_of(&format!("7-x/public.t/{}.json", Slot::new(&chunk(), from, until, "ab").name))
        };
        let read = |text: &str| Moment::read(text).unwrap().0;
        let (from, until) = ("2026-01-01 00:00:00+00", "2026-01-01 12:30:00.5+00");
        assert_eq!(range(from, until), Some((read(from), read(until))));
        assert_eq!(range("-20", "10"), Some((-20, 10)));
        assert_eq!(range("2026-01-01", "2026-01-02"), Some((read("2026-01-01"), read("2026-01-02"))));
        assert_eq!(range("0044-03-01 00:00:00+00 BC", "2026-01-02"), None);
        let long = "é".repeat(90);
        assert!(safe(&long).len() < 210 && safe(&long) != safe(&format!("{long}x")));
    }

    #[test]
    fn what_is_not_kept_goes_and_what_is_kept_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = shelf(folder.path());
        let slot = Slot::new(&chunk(), "2026-01-01 00:00:00+00", "2026-01-02 00:00:00+00", "abcdef0123456789");
        let mut unfinished = shelf.begin(&chunk()).unwrap();
        unfinished.file().unwrap().write_all(b"rows").unwrap();
        assert_eq!(text(&unfinished.written(&slot, &on).unwrap()), "rows");
        drop(unfinished);
        assert_eq!(fs::read_dir(folder.path().join(&shelf.name)).unwrap().count(), 0);

        let unfinished = shelf.begin(&chunk()).unwrap();
        unfinished.file().unwrap().write_all(b"rows").unwrap();
        unfinished.keep(&slot).unwrap();
        assert!(shelf.manifests(&chunk()).unwrap().is_empty(), "without a manifest it is nothing");
        let left = folder.path().join(&shelf.name).join("_hyper_1_1_chunk.json.partial");
        fs::write(&left, "what a run has left that was killed").unwrap();
        shelf.seal(&slot, b"{}".to_vec()).unwrap();
        assert!(!left.exists());
        let name = format!("7-trading/public.trades/{}", slot.manifest());
        assert_eq!(shelf.manifests(&chunk()).unwrap(), [(name.clone(), b"{}".to_vec())]);
        assert_eq!(shelf.store.manifests("").unwrap(), shelf.manifests(&chunk()).unwrap());
        assert_eq!(shelf.manifests(&QualifiedName::new("public", "_hyper_1_2_chunk")).unwrap(), []);
        assert_eq!(shelf.store.manifests("7-other").unwrap(), []);
        assert_eq!(text(&shelf.open(&slot.data(), None).unwrap()), "rows");
        shelf.store.remove(&name).unwrap();
        shelf.store.remove(&name).unwrap();
        assert!(shelf.manifests(&chunk()).unwrap().is_empty());
    }
}
