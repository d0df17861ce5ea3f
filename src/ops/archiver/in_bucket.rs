//! A store in a bucket.
//!
//! A chunk's file is written to a spool on this machine, put into the bucket whole, and read back from there;
//! its manifest is put last. Nothing that is in the bucket is ever overwritten: where a file of the same name
//! is there, which has the same digest in it, it is that one which is read back and proved.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;

use crate::bucket::{Address, Bucket, BucketError, Keys, Put, Sort};
use crate::core::Value;
use crate::kinds::archive_store::{SPOOL, SPOOL_DEFAULT, s3};
use crate::kinds::repository::FILE;
use crate::ops::archive::file::ReadAt;
use crate::ops::archive::{DataFile, Manifest};
use crate::ops::secret;

use super::store::{MANIFEST, parts};
use super::trouble::StoreError;

/// So many manifests are read at once: each is small, and most of the time is the way there and back.
const AT_ONCE: usize = 8;
/// No manifest is larger. A table has at most 1,600 columns.
const LARGEST: u64 = 16 << 20;

/// The bucket, and the folder that files pass through.
#[derive(Debug)]
pub struct InBucket {
    bucket: Bucket,
    spool: PathBuf,
    secrets: Vec<String>,
}

impl InBucket {
    /// By what a policy or a plan says of it.
    ///
    /// # Errors
    /// When the key or the secret is not at hand, or there are no certificates to trust.
    pub fn new(said: &BTreeMap<String, Value>) -> Result<Self, StoreError> {
        let text = |name: &str| said.get(name).and_then(Value::as_text).unwrap_or_default().to_owned();
        let named = |reference: &str| format!("`{}`", reference.trim_start_matches(FILE));
        let (key, secret) = (text(s3::KEY), text(s3::SECRET));
        let secrets = vec![named(&key), named(&secret)];
        let found = |reference: &str| secret::value(reference).ok_or_else(|| named(reference));
        let keys = match (found(&key), found(&secret)) {
            (Ok(key), Ok(secret)) => Keys { key, secret },
            (key, secret) => {
                return Err(StoreError::NoSecret([key.err(), secret.err()].into_iter().flatten().collect()));
            }
        };
        let address = Address {
            bucket: text(s3::BUCKET),
            endpoint: text(s3::ENDPOINT),
            region: text(s3::REGION),
            prefix: text(s3::PREFIX),
            path_style: text(s3::URI_STYLE) == "path",
            ca_file: said.get(s3::CA_FILE).and_then(Value::as_text).map(str::to_owned),
            // What is not said is the safe one.
            verify_tls: said.get(s3::VERIFY_TLS).and_then(Value::as_bool).unwrap_or(true),
        };
        let spool = said.get(SPOOL).and_then(Value::as_text).unwrap_or(SPOOL_DEFAULT);
        let bucket = Bucket::new(address, keys).map_err(|error| StoreError::Bucket(error, secrets.clone()))?;
        Ok(Self { bucket, spool: PathBuf::from(spool), secrets })
    }

    fn named(&self, error: BucketError) -> StoreError {
        StoreError::Bucket(error, self.secrets.clone())
    }

    fn odd(&self, sort: Sort, name: &str, why: &str) -> StoreError {
        self.named(BucketError::new(sort, format!("{}: {why}", self.shown(name))))
    }

    /// A file as it is named to people.
    pub fn shown(&self, name: &str) -> String {
        self.bucket.address().shown(name)
    }

    /// A file without a name: it is gone when it is closed, whatever ends the program.
    ///
    /// # Errors
    /// What the file system says.
    pub fn spool(&self) -> Result<File, StoreError> {
        let made = nameless(&self.spool).map_err(|error| {
            let explained = BucketError::from(error);
            BucketError { message: format!("{}: {}", self.spool.display(), explained.message), ..explained }
        });
        made.map_err(|error| self.named(error))
    }

    /// Puts a file where none is, unless the very same is there.
    ///
    /// # Errors
    /// What the server says; where one of another length is there.
    pub fn put_file(&self, name: &str, file: &File, stop: &dyn Fn() -> bool) -> Result<Put, StoreError> {
        let put = self.bucket.put_file(name, file, stop).map_err(|error| self.named(error))?;
        let own = file.metadata().map_err(|error| self.named(error.into()))?.len();
        let there = self.bucket.length(name).map_err(|error| self.named(error))?;
        match there {
            Some(there) if there == own => Ok(put),
            Some(there) => {
                Err(self.odd(Sort::Occupied, name, &format!("{there} bytes are there, and it is to have {own}")))
            }
            None => Err(self.odd(Sort::Other, name, "the server said that it is there, and it is not")),
        }
    }

    /// A file of the bucket, brought to this machine.
    ///
    /// # Errors
    /// What the server says.
    pub fn open(&self, name: &str, stop: &dyn Fn() -> bool) -> Result<DataFile, StoreError> {
        let file = self.spool()?;
        self.bucket.fetch(name, &file, stop).map_err(|error| self.named(error))?;
        DataFile::new(file).map_err(|error| self.named(error.into()))
    }

    /// Puts a manifest, last of all. Where one is there already that is of the very same file, which this run
    /// has just read back, that one stays.
    ///
    /// # Errors
    /// What the server says; where another manifest is there.
    pub fn seal(&self, name: &str, manifest: &[u8]) -> Result<Vec<u8>, StoreError> {
        let put = self.bucket.put(name, manifest).map_err(|error| self.named(error))?;
        let there = self.bucket.get(name, LARGEST).map_err(|error| self.named(error))?;
        if there == manifest || (put == Put::There && is_same(&there, manifest)) {
            return Ok(there);
        }
        Err(self.odd(Sort::Occupied, name, "another manifest is there"))
    }

    /// The name of every file below a part of the store that is where files of it are.
    ///
    /// # Errors
    /// What the server says.
    pub fn names(&self, below: &str) -> Result<Vec<String>, StoreError> {
        let beginning = if below.is_empty() { String::new() } else { format!("{}/", below.trim_end_matches('/')) };
        let mut names = self.bucket.list(&beginning).map_err(|error| self.named(error))?;
        names.retain(|name| parts(name) == 3);
        Ok(names)
    }

    /// Every manifest below a part of the store that has a text in its name, by its name in the store, in their
    /// order.
    ///
    /// # Errors
    /// What the server says.
    pub fn manifests(&self, below: &str, part: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let mut names = self.names(below)?;
        names.retain(|name| name.ends_with(MANIFEST) && name.contains(part));
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Ok(Vec::with_capacity(names.len())));
        let read = || {
            while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                let bytes = self.bucket.get(name, LARGEST);
                let Ok(mut found) = found.lock() else { return };
                match (&mut *found, bytes) {
                    (Ok(all), Ok(bytes)) => all.push((name.clone(), bytes)),
                    // It went since.
                    (Ok(_), Err(error)) if error.is_no_object() => {}
                    (Ok(_), Err(error)) => {
                        *found = Err(error);
                        return;
                    }
                    (Err(_), _) => return,
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..AT_ONCE.min(names.len()) {
                scope.spawn(read);
            }
        });
        let found = found.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
        let mut found = found.map_err(|error| self.named(error))?;
        found.sort();
        Ok(found)
    }

    /// One manifest, unless it is gone.
    ///
    /// # Errors
    /// What the server says.
    pub fn manifest(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.bucket.get(name, LARGEST) {
            Err(error) if error.is_no_object() => Ok(None),
            read => read.map(Some).map_err(|error| self.named(error)),
        }
    }

    /// Removes a file. One that is not there is gone.
    ///
    /// # Errors
    /// What the server says.
    pub fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.bucket.remove(name).map_err(|error| self.named(error))
    }

    /// How long a file is.
    ///
    /// # Errors
    /// What the server says; where it is not there.
    pub fn length(&self, name: &str) -> Result<u64, StoreError> {
        let length = self.bucket.length(name).map_err(|error| self.named(error))?;
        length.ok_or_else(|| self.odd(Sort::NoObject, name, "it is not there"))
    }

    /// Some bytes of a file, from a place on.
    ///
    /// # Errors
    /// What the server says.
    pub fn read_at(&self, name: &str, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let bytes = self.bucket.get_part(name, at, buffer.len())?;
        let read = bytes.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..read), bytes.get(..read)) {
            to.copy_from_slice(from);
        }
        Ok(read)
    }
}

/// Whether two manifests are of the same rows in the same file.
fn is_same(a: &[u8], b: &[u8]) -> bool {
    let (Ok(a), Ok(b)) = (Manifest::of_bytes(a), Manifest::of_bytes(b)) else { return false };
    (a.file, a.rows, a.chunk, a.relation, a.range, a.columns, a.database)
        == (b.file, b.rows, b.chunk, b.relation, b.range, b.columns, b.database)
}

/// A file of a bucket that is read where it is, a piece at a time.
pub struct Remote {
    /// The store.
    pub store: std::sync::Arc<InBucket>,
    /// The file's name in it.
    pub name: String,
    /// Its length.
    pub length: u64,
}

impl ReadAt for Remote {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        // There is no part of an object beyond its end to be asked for.
        let left = usize::try_from(self.length.saturating_sub(at)).unwrap_or(usize::MAX);
        let most = left.min(buffer.len());
        match buffer.get_mut(..most) {
            Some([]) | None => Ok(0),
            Some(part) => self.store.read_at(&self.name, part, at),
        }
    }
}

fn nameless(folder: &Path) -> io::Result<File> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!(".chronoform-{}-{number}.spool", std::process::id()));
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;

    #[test]
    fn what_passes_through_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = nameless(folder.path()).unwrap();
        file.write_all(b"rows").unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "rows");
    }

    #[test]
    fn a_secret_that_is_not_at_hand_is_named() {
        let said = BTreeMap::from([
            (s3::KEY.to_owned(), Value::text("${env.CHRONOFORM_NOBODY_SETS_THIS}")),
            (s3::SECRET.to_owned(), Value::text("file:/nowhere/secret")),
        ]);
        let error = InBucket::new(&said).unwrap_err();
        assert_eq!(error.code().name, "secret-not-at-hand");
        assert_eq!(error.to_string(), "`${env.CHRONOFORM_NOBODY_SETS_THIS}` and `/nowhere/secret` are not at hand");
    }
}
