//! Opening the file: for writing, which creates and migrates it, and for reading, which does neither.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::ledger::migrate::{Content, identify, migrate};
use crate::ledger::trouble::Trouble;

/// How long another process may hold the file before it counts as locked.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How a file is opened; tests have their own.
#[derive(Clone, Copy)]
pub(super) struct Opening {
    pub(super) busy_timeout: Duration,
    pub(super) migrations: &'static [&'static str],
}

impl Opening {
    /// Opens for writing. The folder and the file are made where there are none, the file for its
    /// owner alone; an older one is brought up to date.
    pub(super) fn for_writing(self, path: &Path) -> Result<Connection, Trouble> {
        let path = absolute(path)?;
        create(&path)?;
        if !is_sqlite(&path).map_err(|error| Trouble::Io("opening it", error))? {
            return Err(Trouble::Foreign(NOT_SQLITE.to_owned()));
        }
        let mut conn = self.connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let content = identify(&conn, self.migrations)?;
        if conn.is_readonly("main")? {
            let error = io::Error::new(ErrorKind::PermissionDenied, "the file is read-only");
            return Err(Trouble::Io("opening it for writing", error));
        }
        self.use_wal(&conn)?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        if content != Content::Ledger(self.migrations.len()) {
            migrate(&mut conn, self.migrations)?;
        }
        Ok(conn)
    }

    /// Opens for reading. An absent file is an empty ledger, and an older one is read from a copy in
    /// memory that is brought up to date there.
    pub(super) fn for_reading(self, path: &Path) -> Result<Connection, Trouble> {
        let path = absolute(path)?;
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return self.in_memory(),
            Err(error) => return Err(Trouble::Foreign(error.to_string())),
            Ok(metadata) if !metadata.is_file() => return Err(Trouble::Foreign("it is not a file".to_owned())),
            Ok(_) => {}
        }
        if !is_sqlite(&path).map_err(|error| Trouble::Foreign(error.to_string()))? {
            return Err(Trouble::Foreign(NOT_SQLITE.to_owned()));
        }
        match self.read(&path, None) {
            Err(trouble) if trouble.is_confined() => self.read_alone(&path),
            other => other,
        }
    }

    /// An empty ledger that nobody else sees.
    pub(super) fn in_memory(self) -> Result<Connection, Trouble> {
        let mut conn = Connection::open_in_memory()?;
        migrate(&mut conn, self.migrations)?;
        Ok(conn)
    }

    /// Reads a file in a folder where SQLite cannot keep its own files beside it. Without locks that
    /// is right only while nobody writes; whoever could write could also have made those files.
    fn read_alone(self, path: &Path) -> Result<Connection, Trouble> {
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        if std::fs::metadata(&wal).is_ok_and(|metadata| metadata.len() > 0) {
            return Err(Trouble::Foreign(format!(
                "its last changes are in {}, which can only be read where the folder can be written; \
                 copy both files to such a folder",
                Path::new(&wal).display()
            )));
        }
        self.read(path, Some("immutable=1"))
    }

    /// Reads a file that exists: with locks, or by a URI's query as one that nobody writes.
    pub(super) fn read(self, path: &Path, query: Option<&str>) -> Result<Connection, Trouble> {
        // Read-write as far as the file allows, so that what a killed process left behind is read,
        // and nothing is left beside the file afterwards; the ledger itself is not written to.
        let conn = match query {
            None => self.connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?,
            Some(query) => {
                let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
                self.connect(Path::new(&uri(path, query)), flags)?
            }
        };
        conn.pragma_update(None, "query_only", true)?;
        match identify(&conn, self.migrations)? {
            Content::Ledger(version) if version == self.migrations.len() => Ok(conn),
            Content::Ledger(version) => self.copy_of_older(path, query.unwrap_or("mode=rw"), version),
            Content::Nothing => self.in_memory(),
        }
    }

    fn copy_of_older(self, path: &Path, query: &str, version: usize) -> Result<Connection, Trouble> {
        let older = self.migrations.get(..version).unwrap_or(self.migrations);
        let mut conn = Opening { migrations: older, ..self }.in_memory()?;
        conn.busy_timeout(self.busy_timeout)?;
        conn.pragma_update(None, "foreign_keys", false)?;
        conn.execute("ATTACH DATABASE ?1 AS file", [uri(path, query)])?;
        for table in tables(&conn)? {
            conn.execute_batch(&format!("INSERT INTO main.\"{table}\" SELECT * FROM file.\"{table}\""))?;
        }
        conn.execute_batch("DETACH DATABASE file")?;
        migrate(&mut conn, self.migrations)?;
        Ok(conn)
    }

    fn connect(self, path: &Path, flags: OpenFlags) -> Result<Connection, Trouble> {
        let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        conn.busy_timeout(self.busy_timeout)?;
        conn.pragma_update(None, "foreign_keys", true)?;
        // The file may come from anywhere: its schema may call nothing that acts, and a damaged page
        // is noticed before it is used.
        conn.pragma_update(None, "trusted_schema", false)?;
        conn.pragma_update(None, "cell_size_check", true)?;
        Ok(conn)
    }

    /// Changing to WAL needs the file for a moment alone, and SQLite does not always wait for that
    /// by itself.
    fn use_wal(self, conn: &Connection) -> Result<(), Trouble> {
        let deadline = Instant::now() + self.busy_timeout;
        loop {
            // A file system that cannot have it answers with another mode, which is as durable.
            let outcome = conn.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()));
            match outcome.map_err(Trouble::from) {
                Err(trouble) if trouble.is_busy() && Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(10));
                }
                other => return other,
            }
        }
    }
}

/// The tables of a ledger, by name.
pub(super) fn tables(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = conn.prepare(
        "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    query.query_map([], |row| row.get(0))?.collect()
}

/// Absolute, so that SQLite takes no path for a URI or for `:memory:`.
fn absolute(path: &Path) -> Result<PathBuf, Trouble> {
    std::path::absolute(path).map_err(|error| Trouble::Io("reading its path", error))
}

const NOT_SQLITE: &str = "it is not a SQLite database";

/// Whether a file is SQLite's, or empty. SQLite itself takes any file that is shorter than its
/// smallest page for an empty database, and would write over it.
fn is_sqlite(path: &Path) -> io::Result<bool> {
    const MAGIC: &[u8] = b"SQLite format 3\0";
    const SMALLEST_PAGE: u64 = 512;
    let mut start = Vec::new();
    File::open(path)?.take(SMALLEST_PAGE).read_to_end(&mut start)?;
    Ok(start.is_empty() || (start.len() as u64 == SMALLEST_PAGE && start.starts_with(MAGIC)))
}

fn create(path: &Path) -> Result<(), Trouble> {
    let made = match create_new(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let folder = path.parent().unwrap_or(path);
            std::fs::create_dir_all(folder).map_err(|error| Trouble::Io("making its folder", error))?;
            create_new(path)
        }
        other => other,
    };
    match made {
        Ok(file) => sync(&file, path).map_err(|error| Trouble::Io("making the file", error)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => match std::fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => Err(Trouble::Foreign("it is not a file".to_owned())),
            _ => Ok(()),
        },
        Err(error) => Err(Trouble::Io("making the file", error)),
    }
}

fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // SQLite gives the files that it keeps beside this one the same mode.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A new file is only there after a power cut when its folder's entry is on the disk too.
fn sync(file: &File, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    if cfg!(unix)
        && let Some(folder) = path.parent()
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// A path as a URI for SQLite: every byte that could mean something is escaped.
fn uri(path: &Path, query: &str) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => uri.push(char::from(*byte)),
            other => uri.push_str(&format!("%{other:02x}")),
        }
    }
    uri.push('?');
    uri.push_str(query);
    uri
}
