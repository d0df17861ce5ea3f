//! Proving a backup: each file of it is read and compared with PostgreSQL's manifest, and the WAL that it
//! needs is there and can be read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::apply::Interrupt;
use crate::ops::backup::native::manifest::{self, Manifest};
use crate::ops::backup::native::repository::{Part, Record, Repository};
use crate::ops::backup::native::wal as stored;
use crate::ops::backup::record::WalRange;
use crate::ops::backup::wal::segments;
use crate::ops::backup::{Trouble, hex};

/// How the names of a backup's archives end.
pub const TAR: &str = ".tar.zst";
/// The archive of the data folder; those of tablespaces are called by their OIDs.
pub const BASE: &str = "base.tar.zst";
/// How much is read at once.
const PIECE: usize = 1 << 17;

/// A reader that hashes what passes.
struct Hashing<R> {
    from: R,
    digest: Sha256,
    bytes: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.from.read(into)?;
        self.digest.update(into.get(..length).unwrap_or_default());
        self.bytes += length as u64;
        Ok(length)
    }
}

impl<R: Read> Hashing<R> {
    /// The part, once all of it has been read.
    fn part(mut self, name: &str) -> io::Result<Part> {
        let mut piece = vec![0; PIECE];
        while self.read(&mut piece)? > 0 {}
        Ok(Part { name: name.to_owned(), bytes: self.bytes, sha256: hex(&self.digest.finalize()) })
    }
}

/// An archive, read to its end.
#[derive(Debug)]
pub struct Archive {
    /// As it is on the disk.
    pub part: Part,
    /// What is in it that the manifest must list: the path, the length in bytes and the checksum of each.
    files: Vec<(String, u64, String)>,
}

/// Reads the manifest of a backup's folder.
///
/// # Errors
/// When it is not there or cannot be trusted.
pub fn manifest(folder: &Path) -> Result<(Manifest, Part), Trouble> {
    let path = folder.join(manifest::NAME);
    let bytes = fs::read(&path).map_err(|error| Trouble::file(&path, error))?;
    let read = Manifest::of_bytes(&bytes).map_err(|why| Trouble::NotWhole(format!("{}: {why}", path.display())))?;
    let sha256 = hex(&Sha256::digest(&bytes));
    Ok((read, Part { name: manifest::NAME.to_owned(), bytes: bytes.len() as u64, sha256 }))
}

/// The names of the archives in a backup's folder, sorted.
///
/// # Errors
/// When it cannot be listed.
pub fn names(folder: &Path) -> Result<Vec<String>, Trouble> {
    let mut names: Vec<String> = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| Trouble::file(folder, error))? {
        let entry = entry.map_err(|error| Trouble::file(folder, error))?;
        names.extend(entry.file_name().to_str().filter(|name| name.ends_with(TAR)).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Compares what is in a backup's archives with its manifest: every file is there once, as it should be.
///
/// # Errors
/// What is wrong.
pub fn compare(folder: &Path, manifest: &Manifest, archives: &[Archive]) -> Result<(), Trouble> {
    // What belongs to WAL that was fetched with it is left out, as it is where the archives are read.
    let files = manifest.files.iter().filter(|(path, _)| !is_wal(path));
    let mut missing: BTreeMap<&str, &(u64, String)> = files.map(|(path, file)| (path.as_str(), file)).collect();
    for archive in archives {
        for (inside, bytes, sum) in &archive.files {
            let path = folder.join(&archive.part.name);
            let wrong = |why: &str| Trouble::NotWhole(format!("{}: {inside} {why}", path.display()));
            match missing.remove(inside.as_str()) {
                Some((size, wanted)) if size == bytes && wanted == sum => {}
                Some(_) => return Err(wrong("is not as the server had it")),
                None => return Err(wrong("is not in the manifest, or twice in the archive")),
            }
        }
    }
    match missing.keys().next() {
        None => Ok(()),
        Some(first) => {
            let count = missing.len();
            Err(Trouble::NotWhole(format!("{}: {count} files are missing, among them {first}", folder.display())))
        }
    }
}

/// Whether a file is WAL that was fetched with a backup, which proves itself and which the manifest does not list, or
/// stands for some: of the empty `archive_status/*.done` it does.
fn is_wal(path: &str) -> bool {
    path.starts_with("pg_wal/")
}

/// Reads an archive of a backup from wherever it comes; `path` is what it is called in errors.
///
/// # Errors
/// When it is damaged.
pub fn read(path: &Path, name: &str, from: impl Read, interrupt: &Interrupt) -> Result<Archive, Trouble> {
    let damaged = |error: io::Error| Trouble::NotWhole(format!("{} is damaged: {error}", path.display()));
    let mut source = Hashing { from, digest: Sha256::new(), bytes: 0 };
    let prefix = match name.strip_suffix(TAR) {
        Some("base") | None => String::new(),
        Some(tablespace) => format!("pg_tblspc/{tablespace}/"),
    };
    let decoder = zstd::Decoder::new(&mut source).map_err(damaged)?;
    let mut archive = tar::Archive::new(decoder);
    let (mut files, mut piece) = (Vec::new(), vec![0; PIECE]);
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        if interrupt.is_requested() {
            return Err(Trouble::Interrupted);
        }
        let inside = format!("{prefix}{}", String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./"));
        let (mut digest, mut bytes) = (Sha256::new(), 0_u64);
        loop {
            let length = entry.read(&mut piece).map_err(damaged)?;
            if length == 0 {
                break;
            }
            digest.update(piece.get(..length).unwrap_or_default());
            bytes += length as u64;
        }
        if !is_wal(&inside) {
            files.push((inside, bytes, hex(&digest.finalize())));
        }
    }
    // What follows the end of an archive belongs to the file all the same.
    let mut decoder = archive.into_inner();
    while decoder.read(&mut piece).map_err(damaged)? > 0 {}
    drop(decoder);
    let part = source.part(name).map_err(damaged)?;
    Ok(Archive { part, files })
}

/// Proves a backup that has its record: its files are those that were verified when it was made, and what
/// is in them is as the manifest says.
///
/// # Errors
/// What is wrong.
pub fn backup(
    repository: &Repository,
    record: &Record,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<(), Trouble> {
    let folder = repository.backup(&record.label);
    let (manifest, part) = manifest(&folder)?;
    let mut archives = Vec::new();
    for name in names(&folder)? {
        tell(&format!("reading {name} back"));
        let path = folder.join(&name);
        let file = File::open(&path).map_err(|error| Trouble::file(&path, error))?;
        archives.push(read(&path, &name, file, interrupt)?);
    }
    compare(&folder, &manifest, &archives)?;
    let found: Vec<Part> = archives.into_iter().map(|archive| archive.part).chain([part]).collect();
    for part in &record.parts {
        match found.iter().find(|found| found.name == part.name) {
            Some(found) if found == part => {}
            Some(_) => {
                let path = folder.join(&part.name);
                return Err(Trouble::NotWhole(format!("{} is not as it was written", path.display())));
            }
            None => return Err(Trouble::NotWhole(format!("{}/{} is missing", folder.display(), part.name))),
        }
    }
    if manifest.wal != record.wal {
        return Err(Trouble::NotWhole(format!("{}: the record and the manifest differ", folder.display())));
    }
    Ok(())
}

/// Proves the WAL that makes a backup consistent.
///
/// # Errors
/// The first segment that cannot be read or is another.
pub fn wal_of(repository: &Repository, cluster: &str, ranges: &[WalRange], segment_bytes: u64) -> Result<(), Trouble> {
    for name in segments(ranges, segment_bytes) {
        stored::prove(repository, cluster, &name)?;
    }
    Ok(())
}

/// The segments that are missing of those that a backup needs.
pub fn missing(repository: &Repository, record: &[WalRange], segment_bytes: u64) -> Vec<String> {
    segments(record, segment_bytes).into_iter().filter(|name| !stored::has(repository, name)).collect()
}
