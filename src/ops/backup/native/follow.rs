//! Reading a backup back while it is still being written: what `pg_basebackup` compresses on one core is proved
//! on another, and is still in memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;

use crate::apply::Interrupt;
use crate::ops::backup::Trouble;
use crate::ops::backup::native::prove::{self, Archive};

/// How long is waited for more.
const PATIENCE: Duration = Duration::from_millis(10);

/// Reads the archives of a folder that `write` fills, until it has ended; sorted by name.
///
/// # Errors
/// Those of `write`; then what is damaged.
pub fn while_written(
    folder: &Path,
    interrupt: &Interrupt,
    write: impl FnOnce() -> Result<(), Trouble>,
) -> Result<Vec<Archive>, Trouble> {
    let ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let (ended, looked) = (&ended, scope.spawn(|| look(scope, folder, &ended, interrupt)));
        let written = {
            // Also where it panics: nobody waits for what will not come.
            let _end = End(ended);
            write()
        };
        let read: Result<Vec<Archive>, Trouble> = joined(looked, folder)
            .and_then(|readers| readers.into_iter().map(|reader| joined(reader, folder)).collect());
        written?;
        let mut read = read?;
        read.sort_by(|one, other| one.part.name.cmp(&other.part.name));
        Ok(read)
    })
}

fn joined<T>(handle: ScopedJoinHandle<'_, Result<T, Trouble>>, folder: &Path) -> Result<T, Trouble> {
    handle.join().unwrap_or_else(|_| Err(Trouble::NotWhole(format!("{} could not be read back", folder.display()))))
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Readers of the archives of a folder that is being filled. Their number is that of the server's tablespaces,
/// and of them one has something to do at a time, as they are written one after another.
fn look<'scope>(
    scope: &'scope Scope<'scope, '_>,
    folder: &'scope Path,
    ended: &'scope AtomicBool,
    interrupt: &'scope Interrupt,
) -> Result<Vec<ScopedJoinHandle<'scope, Result<Archive, Trouble>>>, Trouble> {
    let (mut known, mut readers) = (Vec::new(), Vec::new());
    loop {
        // Asked first: what is there by then is all that there will be.
        let is_over = ended.load(Ordering::Acquire);
        for name in prove::names(folder)? {
            if !known.contains(&name) {
                known.push(name.clone());
                readers.push(scope.spawn(move || {
                    let path = folder.join(&name);
                    let file = File::open(&path).map_err(|error| Trouble::file(&path, error))?;
                    prove::read(&path, &name, Growing { file, ended }, interrupt)
                }));
            }
        }
        if is_over {
            return Ok(readers);
        }
        thread::sleep(PATIENCE);
    }
}

/// A file that somebody else is writing: its end is reached once they have ended.
struct Growing<'a> {
    file: File,
    ended: &'a AtomicBool,
}

impl Read for Growing<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            // Asked first, as above.
            let is_over = self.ended.load(Ordering::Acquire);
            let length = self.file.read(into)?;
            if length > 0 || into.is_empty() || is_over {
                return Ok(length);
            }
            thread::sleep(PATIENCE);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;

    use super::*;

    fn tar(name: &str, content: &[u8]) -> Vec<u8> {
        let mut builder = tar::Builder::new(zstd::Encoder::new(Vec::new(), 1).unwrap());
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o600);
        header.set_entry_type(tar::EntryType::Regular);
        builder.append_data(&mut header, name, content).unwrap();
        builder.into_inner().unwrap().finish().unwrap()
    }

    fn noise(length: u32) -> Vec<u8> {
        (0..length).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
    }

    #[test]
    fn what_grows_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let (first, base) = (tar("a", &noise(100_000)), tar("b", &noise(50_000)));
        let read = while_written(folder.path(), &Interrupt::default(), || {
            for (name, bytes) in [("16384.tar.zst", &first), ("base.tar.zst", &base)] {
                let mut file = File::create(folder.path().join(name)).unwrap();
                for piece in bytes.chunks(1_000) {
                    file.write_all(piece).unwrap();
                    thread::yield_now();
                }
            }
            Ok(())
        });
        let read = read.unwrap();
        let parts: Vec<_> = read.iter().map(|archive| (archive.part.name.as_str(), archive.part.bytes)).collect();
        assert_eq!(parts, [("16384.tar.zst", first.len() as u64), ("base.tar.zst", base.len() as u64)]);
        let path = folder.path().join("base.tar.zst");
        let alone = prove::read(&path, "base.tar.zst", File::open(&path).unwrap(), &Interrupt::default()).unwrap();
        assert_eq!(alone.part, read[1].part);
    }

    #[test]
    fn who_fails_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let whole = tar("a", &noise(10_000));
        let ended = while_written(folder.path(), &Interrupt::default(), || {
            fs::write(folder.path().join("base.tar.zst"), &whole[..whole.len() / 2]).unwrap();
            Err(Trouble::Program("it fell over".to_owned()))
        });
        assert!(matches!(ended, Err(Trouble::Program(_))), "{ended:?}");
        // Who says that all is well, and has not written all, is found out.
        let ended = while_written(folder.path(), &Interrupt::default(), || Ok(()));
        assert!(matches!(ended, Err(Trouble::NotWhole(_))), "{ended:?}");
    }
}
