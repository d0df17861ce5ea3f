//! What goes wrong with an archive, as it is told to a person.

use super::error::ArchiveError;
use crate::diag::{Diagnostic, code};

impl ArchiveError {
    /// As a diagnostic, with what to do.
    pub fn diagnostic(&self) -> Diagnostic {
        let error = |code, help: &str| Diagnostic::error(code, self.to_string()).help(help);
        match self {
            Self::Refused { .. } => error(
                &code::ARCHIVE_TYPE,
                "leave `archive` out of this table's policy, or give the column another type, such as text",
            ),
            Self::NoColumns => {
                error(&code::ARCHIVE_TYPE, "leave `archive` out of this table's policy: there is nothing to keep")
            }
            Self::Fallback { .. } => error(&code::INTERNAL, "this is a defect of Chronoform: please report it"),
            Self::NotUtf8 { .. } => error(
                &code::ARCHIVE_TYPE,
                "a database in SQL_ASCII does not check its text: mend those values, or make the column bytea",
            ),
            Self::Stream { .. } => error(
                &code::ARCHIVE_DAMAGED,
                "nothing was archived or dropped: look for what changes the stream between here and the server",
            ),
            Self::Corrupt { .. } => error(
                &code::ARCHIVE_DAMAGED,
                "bring the file back from a copy of the archive, or archive the chunk anew if it is still in the table",
            ),
            Self::Manifest { .. } => error(
                &code::ARCHIVE_DAMAGED,
                "bring the manifest back from a copy of the archive; a manifest is never to be edited",
            ),
            Self::Differs { .. } => error(
                &code::ARCHIVE_DIFFERS,
                "nothing is dropped on such a file's account: bring it back from a copy, or archive the chunk anew",
            ),
            Self::WeakKey { .. } => error(
                &code::ARCHIVE_KEY,
                "make a key with `openssl rand -hex 32`, and keep it where the archive is not",
            ),
            Self::WrongKey { .. } => {
                error(&code::ARCHIVE_KEY, "give the key that the archive was written with; no other can read it")
            }
            Self::Io { full: true, .. } => {
                error(&code::ARCHIVE_UNWRITABLE, "make room, and run again: what was not finished is written anew")
            }
            Self::Io { full: false, .. } => {
                error(&code::ARCHIVE_UNWRITABLE, "check that the archive's place exists, and who may write there")
            }
            Self::Stopped => error(&code::INTERRUPTED, "run again: what was not finished is written anew"),
            Self::Internal { .. } => error(&code::INTERNAL, "this is a defect of Chronoform: please report it"),
        }
    }
}
