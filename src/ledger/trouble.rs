//! What goes wrong in here, and how a user is told.

use std::io;
use std::path::Path;

use rusqlite::ErrorCode;

use crate::diag::{Code, Diagnostic, code};

/// Why something in the ledger could not be done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// SQLite said no.
    Sqlite(rusqlite::Error),
    /// A file operation of our own failed; in words, which.
    Io(&'static str, io::Error),
    /// The ledger's content contradicts itself, or what it is asked to record.
    Broken(String),
    /// The file is no ledger; in words, what it is.
    Foreign(String),
    /// The file was written by a newer version; its version and ours.
    Newer(i64, i64),
    /// Already in words for the user.
    Said(Box<Diagnostic>),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Diagnostic> for Trouble {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Said(Box::new(diagnostic))
    }
}

impl Trouble {
    /// A defect of Chronoform itself.
    pub(super) fn internal(what: impl Into<String>) -> Self {
        Diagnostic::error(&code::INTERNAL, what).into()
    }

    /// Whether another process is in the way, and waiting could help.
    pub(super) fn is_busy(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }

    /// Whether SQLite could not make the files that it keeps beside the database.
    pub(super) fn is_confined(&self) -> bool {
        let Self::Sqlite(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied)
        )
    }

    /// The same for the user of the ledger at a path.
    pub(super) fn diagnose(self, path: &Path) -> Diagnostic {
        match self {
            Self::Said(diagnostic) => *diagnostic,
            Self::Sqlite(error) => sqlite(error, path),
            Self::Io(doing, error) => file(doing, &error, path),
            Self::Broken(what) => broken(what, path),
            Self::Foreign(what) => unreadable(path, &what),
            Self::Newer(theirs, ours) => Diagnostic::error(
                &code::LEDGER_NEWER,
                format!(
                    "the ledger {} has format {theirs}, and this version of Chronoform knows up to {ours}",
                    path.display()
                ),
            )
            .why("an older version would not understand, and could spoil, what the newer one recorded")
            .help("use the version of Chronoform that wrote it, or a newer one"),
        }
    }
}

const RESTORE: &str = "restore the file from a copy (`chronoform ledger import` reads what `ledger export` wrote), or move it \
    aside: `plan` still converges without it, and `import` adopts again what is live";

fn sqlite(error: rusqlite::Error, path: &Path) -> Diagnostic {
    let words = in_words(&error);
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
            Diagnostic::error(&code::LEDGER_LOCKED, format!("the ledger {} is held by another process", path.display()))
                .why("its record would be torn if two processes wrote it at once")
                .help(format!("wait for the other to end and try again; `fuser {}` names it", path.display()))
        }
        Some(ErrorCode::NotADatabase) => unreadable(path, "it is not a SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => unreadable(path, &format!("it is damaged ({words})")),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied) => {
            unwritable(path, &words)
        }
        Some(ErrorCode::CannotOpen) => unwritable(path, &words),
        Some(ErrorCode::DiskFull) => full(path, &words),
        Some(ErrorCode::SystemIoFailure) => {
            Diagnostic::error(&code::LEDGER_UNREADABLE, format!("the ledger {} cannot be read or written: {words}", path.display()))
                .why("the disk or its file system failed, so that nothing can be recorded")
                .help("look into the system's log, and keep the ledger on a local file system: SQLite's locks do not hold on most network ones")
        }
        Some(ErrorCode::ConstraintViolation) => broken(format!("a row contradicts another: {words}"), path),
        Some(ErrorCode::Unknown | ErrorCode::SchemaChanged | ErrorCode::TypeMismatch) => {
            unreadable(path, &format!("its tables are not as they should be ({words})"))
        }
        Some(_) => Diagnostic::error(&code::INTERNAL, format!("the ledger {}: {words}", path.display())),
        // Not from SQLite itself: a row whose value is none that was ever written.
        None => broken(format!("a row cannot be read: {words}"), path),
    }
}

fn in_words(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(failure, None) => failure.to_string(),
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    }
}

fn file(doing: &str, error: &io::Error, path: &Path) -> Diagnostic {
    let words = format!("{doing}: {error}");
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => full(path, &words),
        _ => unwritable(path, &words),
    }
}

fn unreadable(path: &Path, what: &str) -> Diagnostic {
    Diagnostic::error(&code::LEDGER_UNREADABLE, format!("{} is no ledger that can be read: {what}", path.display()))
        .why("without it Chronoform does not know which resources it applied")
        .help(RESTORE)
}

fn unwritable(path: &Path, words: &str) -> Diagnostic {
    Diagnostic::error(&code::LEDGER_UNWRITABLE, format!("the ledger {} cannot be written: {words}", path.display()))
        .why("every step is recorded before it is taken, so that a crash leaves nothing unknown")
        .help("make the file and its folder writable for this user, or name another place with `--ledger FILE`")
}

fn full(path: &Path, words: &str) -> Diagnostic {
    Diagnostic::error(&code::LEDGER_FULL, format!("no space is left for the ledger {} ({words})", path.display()))
        .why("every step is recorded before it is taken, so that a crash leaves nothing unknown")
        .help("free some space on its disk, or name another place with `--ledger FILE`")
}

fn broken(what: String, path: &Path) -> Diagnostic {
    Diagnostic::error(&code::LEDGER_BROKEN, format!("the ledger {} contradicts itself: {what}", path.display()))
        .why("something other than Chronoform changed it")
        .help("`chronoform ledger verify` names every row that is not as it was written; then restore the file from a copy")
}

/// A diagnostic about an export, which is not the ledger itself.
pub(super) fn about_export(code: &'static Code, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code, message)
        .why("an import is all or nothing: nothing was written")
        .help("take another copy of what `chronoform ledger export` wrote")
}
