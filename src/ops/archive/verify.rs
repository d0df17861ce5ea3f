//! Whether a file is still what its manifest says.

use std::io::Read;

use parquet::file::reader::ChunkReader;
use sha2::{Digest, Sha256};

use super::error::{ArchiveError, Result};
use super::manifest::Manifest;
use super::read::{Archive, Found};
use super::show::hex;

/// The length and the SHA-256, in hexadecimal, of what can be read.
///
/// # Errors
/// When it cannot be read.
pub fn digest(mut from: impl Read) -> Result<(u64, String)> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut bytes = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex(&digest.finalize()))),
            Ok(read) => {
                digest.update(buffer.get(..read).unwrap_or(&[]));
                bytes += read as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// That the file is, byte for byte, the one that the manifest was written for.
///
/// # Errors
/// [`ArchiveError::Differs`]; or when it cannot be read.
pub fn same_file<R: ChunkReader>(source: &R, manifest: &Manifest) -> Result<()> {
    let (bytes, sha256) = digest(source.get_read(0)?)?;
    let differs = |what| Err(ArchiveError::Differs { column: None, what });
    if bytes != manifest.file.bytes {
        return differs(format!("the file had {} bytes, and has {bytes}", manifest.file.bytes));
    }
    if sha256 != manifest.file.sha256 {
        return differs(format!("the file's SHA-256 was {}, and is {sha256}", manifest.file.sha256));
    }
    Ok(())
}

/// That the file holds what the manifest says: the same bytes, and every value read again.
///
/// # Errors
/// [`ArchiveError::Differs`] with what differs; [`ArchiveError::Corrupt`] where it cannot be read at all.
pub fn verify<R: ChunkReader + 'static>(source: R, manifest: &Manifest, threads: usize) -> Result<Found> {
    same_file(&source, manifest)?;
    let archive = Archive::open(source)?;
    let found = archive.look(threads)?;
    compare(&archive, &found, manifest)?;
    Ok(found)
}

/// That what was found in a file is what the manifest says.
///
/// # Errors
/// [`ArchiveError::Differs`] with what differs.
pub fn compare<R: ChunkReader + 'static>(archive: &Archive<R>, found: &Found, manifest: &Manifest) -> Result<()> {
    let differs = |what: String| Err(ArchiveError::Differs { column: None, what });
    if found.rows != manifest.rows {
        return differs(format!("it had {} rows, and has {}", manifest.rows, found.rows));
    }
    if !archive.columns().iter().eq(manifest.columns.iter().map(|kept| &kept.column)) {
        return differs("its columns are not those of its manifest".to_owned());
    }
    for ((kept, found), claimed) in manifest.columns.iter().zip(&found.evidence).zip(archive.claims()) {
        // What the file says of itself, which in one that is encrypted is the whole of it.
        claimed.compare(&kept.column.name, found)?;
        let found = found.clone();
        let found = if manifest.file.key_id.is_some() { found.without_values() } else { found };
        kept.evidence.compare(&kept.column.name, &found)?;
    }
    same_chunk(archive, manifest)
}

/// That a file says of itself that it is of the manifest's chunk, where it says anything.
///
/// # Errors
/// [`ArchiveError::Differs`].
pub fn same_chunk<R: ChunkReader + 'static>(archive: &Archive<R>, manifest: &Manifest) -> Result<()> {
    for (name, wanted) in [("chunk", &manifest.chunk), ("table", &manifest.relation)] {
        let said = archive.about().iter().find(|(known, _)| known == name).map(|(_, value)| value);
        if let Some(said) = said.filter(|said| **said != wanted.to_string()) {
            let what = format!("it is of the {name} {said}, and its manifest of {wanted}");
            return Err(ArchiveError::Differs { column: None, what });
        }
    }
    Ok(())
}
