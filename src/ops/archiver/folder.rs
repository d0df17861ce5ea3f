//! A store in a folder.
//!
//! A file is written under another name, brought to the disk, and only then given its own; its manifest
//! comes last, in the same way.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::store::{MANIFEST, parts};

/// How the names of unfinished files end.
pub const PARTIAL: &str = ".partial";

/// Begins an unfinished file, in place of what an earlier run left behind of it. Gives where it is.
pub fn begin(folder: &Path, name: &str) -> io::Result<(PathBuf, File)> {
    fs::create_dir_all(folder)?;
    let path = folder.join(format!("{name}{PARTIAL}"));
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(&path)?;
    Ok((path, file))
}

/// Gives an unfinished file its name.
pub fn keep(file: &File, unfinished: &Path, name: &Path) -> io::Result<()> {
    file.sync_all()?;
    fs::rename(unfinished, name)?;
    sync_folder_of(name)
}

/// Writes a manifest, whose data file is at its place already, first by another name.
pub fn seal(path: &Path, unfinished: &str, manifest: &[u8]) -> io::Result<()> {
    let partial = path.with_file_name(format!("{unfinished}{PARTIAL}"));
    // It tells the least and the greatest of what is in the columns, and is nobody else's to read.
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&partial)?;
    file.write_all(manifest)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    sync_folder_of(path)
}

/// Every manifest below a part of a store that has a text in its name, by its name in the store, in their order. A folder that does not
/// exist has none.
pub fn manifests(store: &Path, below: &str, part: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut names = names(store, below)?;
    names.retain(|name| name.ends_with(MANIFEST) && name.contains(part));
    names.into_iter().map(|name| fs::read(store.join(&name)).map(|bytes| (name, bytes))).collect()
}

/// The name of every file below a part of a store that is where files of it are, in their order.
pub fn names(store: &Path, below: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    walk(store, below.trim_end_matches('/'), &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(store: &Path, below: &str, found: &mut Vec<String>) -> io::Result<()> {
    let entries = match fs::read_dir(store.join(below)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        // Names of others' own making are none of ours.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = if below.is_empty() { name } else { format!("{below}/{name}") };
        let depth = parts(&name);
        if depth < 3 && entry.file_type()?.is_dir() {
            walk(store, &name, found)?;
        } else if depth == 3 {
            found.push(name);
        }
    }
    Ok(())
}

/// Removes a file, for good. One that is not there is gone.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    sync_folder_of(path)
}

/// Brings to the disk what entries the folder of a file has, without which a rename may be lost.
fn sync_folder_of(file: &Path) -> io::Result<()> {
    file.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}
