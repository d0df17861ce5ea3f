//! WAL in a repository: how it comes there and how it comes back.
//!
//! A segment is written aside, brought to the disk and only then linked to its name, which fails where the
//! name is taken: nothing is ever written over. What is there already and the same is fine, since a server
//! that crashed archives its last segment again; what is there and differs is an error, and stays.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::ops::backup::native::repository::Repository;
use crate::ops::backup::state::{entries, sync};
use crate::ops::backup::timeline::History;
use crate::ops::backup::wal::{Lsn, Segment, is_hex};

/// Why WAL was not taken or given.
#[derive(Debug)]
pub enum WalError {
    /// It is not there. To a server that recovers, that is where WAL ends.
    Missing(String),
    /// It is nothing that a server archives.
    NoWal(String),
    /// It is another cluster's.
    OtherCluster {
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
    /// The repository has another of this name.
    Differs(PathBuf),
    /// It cannot be read back.
    Damaged(PathBuf, String),
    /// The file system's word.
    File(PathBuf, io::Error),
}

impl fmt::Display for WalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "{name} is not in the repository"),
            Self::NoWal(name) => write!(f, "`{name}` is no name of a file that a server archives"),
            Self::OtherCluster { found, expected } => {
                write!(f, "it is of the cluster {found}, and the server is {expected}")
            }
            Self::Differs(path) => {
                write!(f, "{} is there already with other contents, and is not written over", path.display())
            }
            Self::Damaged(path, why) => write!(f, "{} is damaged: {why}", path.display()),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for WalError {}

/// How much of a file is read at once.
const PIECE: usize = 1 << 16;
/// The level of compression: WAL is written as fast as the server commits, and must keep up.
const LEVEL: i32 = 1;
/// `XLogLongPageHeaderData`: where the system identifier is in the first page of a segment, after the
/// short header of 24 bytes (`xlog_internal.h`, PostgreSQL 14 to 18).
const SYSTEM_IDENTIFIER: std::ops::Range<usize> = 24..32;
/// Where the place in WAL is that its first page is of.
const ADDRESS: std::ops::Range<usize> = 8..16;
/// Where the size of a segment is.
const SEGMENT_BYTES: std::ops::Range<usize> = 32..36;
/// Where the flags are, and which of them says that the header is a long one (`XLP_LONG_HEADER`).
const FLAGS: std::ops::Range<usize> = 2..4;
const LONG_HEADER: u16 = 2;

/// The system identifier of the server whose data folder this process is in, as `archive_command` and
/// `restore_command` are started: the first eight bytes of its control file (`ControlFileData`).
///
/// # Errors
/// When there is no control file.
pub fn cluster_here() -> Result<String, WalError> {
    let path = Path::new("global/pg_control");
    let mut bytes = [0; 8];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| WalError::File(path.to_owned(), error))?;
    Ok(u64::from_ne_bytes(bytes).to_string())
}

/// The folder and name of a file in the repository.
fn place(wal: &Path, name: &str) -> Result<(PathBuf, PathBuf), WalError> {
    let (stem, rest) = name.split_once('.').unwrap_or((name, ""));
    // `<segment>`, `<segment>.partial`, `<segment>.<offset>.backup`, `<timeline>.history`
    let is_offset = |text: &str| text.len() == 8 && is_hex(text);
    let known = is_hex(stem)
        && match stem.len() {
            24 => rest.is_empty() || rest == "partial" || rest.strip_suffix(".backup").is_some_and(is_offset),
            8 => rest == "history",
            _ => false,
        };
    if !known {
        return Err(WalError::NoWal(name.to_owned()));
    }
    let folder = if stem.len() == 24 { wal.join(stem.get(..16).unwrap_or_default()) } else { wal.to_owned() };
    let file = folder.join(format!("{name}.zst"));
    Ok((folder, file))
}

/// Brings a file of WAL to the repository. `true` where it was not there yet.
///
/// # Errors
/// Whatever kept it from being there whole: then the server keeps it and tries again.
pub fn push(repository: &Repository, cluster: &str, file: &Path) -> Result<bool, WalError> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (folder, target) = place(&repository.wal(), &name)?;
    let at = |path: &Path| {
        let path = path.to_owned();
        move |error| WalError::File(path.clone(), error)
    };
    let bytes = fs::read(file).map_err(at(file))?;
    if name.len() == 24 {
        check_cluster(&bytes, cluster)?;
        check_place(&name, &bytes, bytes.len() as u64).map_err(|why| WalError::NoWal(format!("{name}: {why}")))?;
    }
    // Whoever brought it may have ended before it was on the disk, and the server forgets what it is told is
    // here.
    let is_there = || same(&target, &bytes).and_then(|()| settle(&target, &folder)).map(|()| false);
    if target.try_exists().map_err(at(&target))? {
        return is_there();
    }
    repository.owner().folder(&folder).map_err(at(&folder))?;
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let beside = folder.join(format!("{name}.{}-{moment}.partial", std::process::id()));
    let written = compress(&beside, &bytes).and_then(|()| repository.owner().give(&beside));
    let linked = written.and_then(|()| fs::hard_link(&beside, &target));
    // Nothing but the other name of what is linked, or what could not be.
    let removed = fs::remove_file(&beside);
    match linked {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return is_there(),
        Err(error) => return Err(WalError::File(beside, error)),
    }
    removed.and_then(|()| sync(&folder)).map_err(at(&folder))?;
    Ok(true)
}

/// Brings a file that is there, and its name, to the disk.
fn settle(file: &Path, folder: &Path) -> Result<(), WalError> {
    let settled = File::open(file).and_then(|file| file.sync_all()).and_then(|()| sync(folder));
    settled.map_err(|error| WalError::File(file.to_owned(), error))
}

/// Whether a segment, of which the beginning and the length are known, is the one that its name says.
fn check_place(name: &str, begin: &[u8], length: u64) -> Result<(), String> {
    let size = begin.get(SEGMENT_BYTES).and_then(|bytes| bytes.try_into().ok()).map(u32::from_ne_bytes);
    let address = begin.get(ADDRESS).and_then(|bytes| bytes.try_into().ok()).map(u64::from_ne_bytes);
    let (Some(size), Some(address)) = (size.map(u64::from), address) else { return Err("it has no header".to_owned()) };
    let said = Segment::read(name, size);
    if length != size || said.map(|segment| segment.number) != Some(address / size.max(1)) {
        return Err(format!("it holds {length} bytes of WAL from {}", Lsn(address)));
    }
    Ok(())
}

/// Whether a segment is of a cluster. One that does not begin with a long header is none at all.
fn check_cluster(bytes: &[u8], cluster: &str) -> Result<(), WalError> {
    let flags = bytes.get(FLAGS).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
    let found = bytes.get(SYSTEM_IDENTIFIER).and_then(|bytes| bytes.try_into().ok()).map(u64::from_ne_bytes);
    match (flags, found) {
        (Some(flags), Some(found)) if flags & LONG_HEADER != 0 && found.to_string() == cluster => Ok(()),
        (Some(flags), Some(found)) if flags & LONG_HEADER != 0 => {
            Err(WalError::OtherCluster { found: found.to_string(), expected: cluster.to_owned() })
        }
        _ => Err(WalError::NoWal("a segment without its header".to_owned())),
    }
}

fn compress(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    let mut encoder = zstd::Encoder::new(file, LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.write_all(bytes)?;
    encoder.finish()?.sync_all()
}

/// Whether a file in the repository holds exactly these bytes.
fn same(path: &Path, bytes: &[u8]) -> Result<(), WalError> {
    let mut rest = bytes;
    let differs = |_| WalError::Differs(path.to_owned());
    read(path, &mut |piece| match rest.split_at_checked(piece.len()) {
        Some((expected, after)) if expected == piece => {
            rest = after;
            Ok(())
        }
        _ => Err(io::Error::other("it differs")),
    })
    .map_err(|error| match error {
        WalError::File(_, error) if error.to_string() == "it differs" => differs(()),
        error => error,
    })?;
    if rest.is_empty() { Ok(()) } else { Err(differs(())) }
}

/// Reads a compressed file, piece by piece.
fn read(path: &Path, sink: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> Result<(), WalError> {
    let opened = File::open(path).and_then(zstd::Decoder::new);
    let mut decoder = opened.map_err(|error| WalError::File(path.to_owned(), error))?;
    let mut piece = vec![0; PIECE];
    loop {
        let length = match decoder.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) => return Err(WalError::Damaged(path.to_owned(), error.to_string())),
        };
        let read = piece.get(..length).unwrap_or_default();
        sink(read).map_err(|error| WalError::File(path.to_owned(), error))?;
    }
}

/// Gives a file of WAL to a server that recovers.
///
/// # Errors
/// [`WalError::Missing`] where the repository has none of it, and what else kept it from being given.
pub fn fetch(repository: &Repository, name: &str, to: &Path) -> Result<(), WalError> {
    let (_, source) = place(&repository.wal(), name)?;
    // A repository that is not there, because nobody has mounted it, is no repository without WAL.
    let wal = repository.wal();
    fs::read_dir(&wal).map_err(|error| WalError::File(wal, error))?;
    // What cannot be looked at is not missing: a server that is told so goes on without it.
    if !source.try_exists().map_err(|error| WalError::File(source.clone(), error))? {
        return Err(WalError::Missing(name.to_owned()));
    }
    let beside = to.with_extension("fetching");
    let at = |error| WalError::File(to.to_owned(), error);
    let mut file = File::create(&beside).map_err(at)?;
    let given = read(&source, &mut |piece| file.write_all(piece));
    let given = given.and_then(|()| file.sync_all().and_then(|()| fs::rename(&beside, to)).map_err(at));
    if given.is_err() {
        // What is left of a file that was not given is nothing that anybody needs.
        let _ = fs::remove_file(&beside);
    }
    given
}

/// Whether the repository has a file of WAL.
pub fn has(repository: &Repository, name: &str) -> bool {
    place(&repository.wal(), name).is_ok_and(|(_, path)| path.exists())
}

/// Proves one file of WAL in the repository: it can be read to its end, and a segment is the one that its
/// name says, of this cluster.
///
/// # Errors
/// What is wrong with it.
pub fn prove(repository: &Repository, cluster: &str, name: &str) -> Result<(), WalError> {
    let (_, path) = place(&repository.wal(), name)?;
    let (mut begin, mut length) = (Vec::new(), 0_u64);
    read(&path, &mut |piece| {
        if begin.len() < SEGMENT_BYTES.end {
            begin.extend_from_slice(piece);
        }
        length += piece.len() as u64;
        Ok(())
    })?;
    if name.len() != 24 {
        return Ok(());
    }
    check_cluster(&begin, cluster)?;
    check_place(name, &begin, length).map_err(|why| WalError::Damaged(path, why))
}

/// Every file of WAL in the repository, in the order of their names.
///
/// # Errors
/// What the file system says.
pub fn names(repository: &Repository) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    let wal = repository.wal();
    if !wal.exists() {
        return Ok(found);
    }
    let own = |path: &Path| path.file_name()?.to_str()?.strip_suffix(".zst").map(str::to_owned);
    for entry in fs::read_dir(&wal)? {
        let path = entry?.path();
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                found.extend(own(&entry?.path()));
            }
        } else {
            found.extend(own(&path));
        }
    }
    found.retain(|name| place(&wal, name).is_ok());
    found.sort();
    Ok(found)
}

/// How the newest timeline came about; nothing where there is only the first.
///
/// # Errors
/// What keeps it from being read.
pub fn history(repository: &Repository) -> Result<Option<History>, WalError> {
    let wal = repository.wal();
    let found = entries(&wal).map_err(|error| WalError::File(wal, error))?;
    // `0000000200000000` is a folder of the timeline's WAL, and `00000002.history.zst` how it came about.
    let of = |path: &PathBuf| {
        let name = path.file_name()?.to_str()?;
        let known = name.len() == 16 && is_hex(name) || name.strip_suffix(".history.zst").is_some();
        known.then(|| u32::from_str_radix(name.get(..8)?, 16).ok()).flatten()
    };
    let newest = found.iter().filter_map(of).max().unwrap_or(1);
    let Some(file) = History::file(newest) else { return Ok(None) };
    let (_, path) = place(&repository.wal(), &file)?;
    // The server archives it before any WAL of the timeline.
    if !path.try_exists().map_err(|error| WalError::File(path.clone(), error))? {
        return Err(WalError::Missing(file));
    }
    let mut text = Vec::new();
    read(&path, &mut |piece| {
        text.extend_from_slice(piece);
        Ok(())
    })?;
    let history = History::read(newest, &String::from_utf8_lossy(&text));
    history.map(Some).map_err(|why| WalError::Damaged(path, why))
}

/// Takes a file of WAL away.
///
/// # Errors
/// What the file system says.
pub fn remove(repository: &Repository, name: &str) -> Result<(), WalError> {
    let (_, path) = place(&repository.wal(), name)?;
    fs::remove_file(&path).map_err(|error| WalError::File(path, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: u64 = 1 << 24;

    fn segment(cluster: u64, number: u64, fill: u8) -> Vec<u8> {
        let mut bytes = vec![fill; usize::try_from(SIZE).unwrap()];
        bytes[2..4].copy_from_slice(&LONG_HEADER.to_ne_bytes());
        bytes[8..16].copy_from_slice(&(number * SIZE).to_ne_bytes());
        bytes[SYSTEM_IDENTIFIER].copy_from_slice(&cluster.to_ne_bytes());
        bytes[SEGMENT_BYTES].copy_from_slice(&u32::try_from(SIZE).unwrap().to_ne_bytes());
        bytes
    }

    #[test]
    fn what_is_pushed_comes_back_and_is_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let repository = Repository::new(folder.path(), "42");
        let name = "0000000100000000000000A1";
        let file = folder.path().join(name);
        let first = segment(42, 0xa1, 7);
        fs::write(&file, &first).unwrap();
        assert!(push(&repository, "42", &file).unwrap());
        assert!(!push(&repository, "42", &file).unwrap(), "it is there already");
        prove(&repository, "42", name).unwrap();
        fs::write(&file, segment(42, 0xa1, 8)).unwrap();
        assert!(matches!(push(&repository, "42", &file), Err(WalError::Differs(_))));
        let to = folder.path().join("RECOVERYXLOG");
        fetch(&repository, name, &to).unwrap();
        assert!(fs::read(&to).unwrap() == first);
        assert!(matches!(fetch(&repository, "0000000100000000000000A2", &to), Err(WalError::Missing(_))));
        assert_eq!(names(&repository).unwrap(), [name]);
        // Of another cluster, or no WAL at all.
        let other = folder.path().join("0000000100000000000000A3");
        fs::write(&other, segment(43, 0xa3, 7)).unwrap();
        assert!(matches!(push(&repository, "42", &other), Err(WalError::OtherCluster { .. })));
        fs::write(&other, b"short").unwrap();
        assert!(matches!(push(&repository, "42", &other), Err(WalError::NoWal(_))));
        // One under another's name is found out.
        let moved = folder.path().join("0000000100000000000000A4");
        fs::write(&moved, &first).unwrap();
        assert!(matches!(push(&repository, "42", &moved), Err(WalError::NoWal(_))));
        let stored = repository.wal().join("0000000100000000");
        fs::copy(stored.join(format!("{name}.zst")), stored.join("0000000100000000000000A4.zst")).unwrap();
        assert!(matches!(prove(&repository, "42", "0000000100000000000000A4"), Err(WalError::Damaged(..))));
        assert!(fs::read_dir(stored).unwrap().count() == 2, "nothing is left over");
        // A folder that cannot be looked into is not one without WAL.
        fs::write(repository.wal().join("0000000200000000"), b"no folder").unwrap();
        assert!(matches!(fetch(&repository, "0000000200000000000000A1", &to), Err(WalError::File(..))));
    }

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        let wal = Path::new("/r/wal");
        for good in [
            "0000000100000000000000A1",
            "0000000100000000000000A1.partial",
            "0000000100000000000000A1.00000028.backup",
            "00000002.history",
        ] {
            assert!(place(wal, good).unwrap().1.starts_with(wal), "{good}");
        }
        for wrong in
            ["", ".", "..", "../x", "00000002", "0000000100000000000000A1.x", "00000002.history/..", "x.history"]
        {
            assert!(matches!(place(wal, wrong), Err(WalError::NoWal(_))), "{wrong}");
        }
    }
}
