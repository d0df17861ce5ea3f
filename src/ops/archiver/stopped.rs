//! What ends the work with an archive, and what is said of it.

use std::fmt;
use std::io;

use crate::apply::StepOutcome;
use crate::core::QualifiedName;
use crate::kinds::archive::{INSTEAD, UNTOLD};
use crate::ops::archive::ArchiveError;
use crate::ops::archive::export::TransferError;
use crate::ops::archiver::trouble::StoreError;
use crate::pg::{PgError, PgErrorKind};

/// What stopped the work.
#[derive(Debug)]
pub enum Stopped {
    /// The server, or the way to it.
    Server(PgError),
    /// A file, or what is in it.
    Archive(ArchiveError),
    /// Where files are kept.
    Store(StoreError),
    /// Rows of a chunk were written while it was copied.
    Late(String),
    /// Nobody can tell whether the rows of a copy are in a chunk that was merged or split, or has lost its mark.
    Untold {
        /// The chunk.
        chunk: QualifiedName,
        /// The copy's file.
        file: String,
        /// Why not.
        why: String,
        /// The mark of a chunk that has nothing of it.
        beside: String,
    },
    /// Something else that must not be.
    Refused(String),
    /// Somebody asked for it.
    Interrupted,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(error) => write!(f, "{error}"),
            Self::Archive(error) => write!(f, "{error}"),
            Self::Store(error) => write!(f, "the store: {error}"),
            Self::Late(chunk) => write!(f, "rows of {chunk} were written while it was copied"),
            Self::Untold { chunk, file, why, .. } => write!(
                f,
                "{chunk} was merged or split since it was marked, or has no mark of its own, and nobody can tell whether it has \
                 what {file} has of its time: {why}"
            ),
            Self::Refused(why) => f.write_str(why),
            Self::Interrupted => f.write_str("it was interrupted"),
        }
    }
}

impl std::error::Error for Stopped {}

impl From<PgError> for Stopped {
    fn from(error: PgError) -> Self {
        if error.is_cancelled() { Self::Interrupted } else { Self::Server(error) }
    }
}

impl From<ArchiveError> for Stopped {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(error)
    }
}

impl From<TransferError> for Stopped {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Server(error) => error.into(),
            TransferError::Archive(errors) => match <[ArchiveError; 1]>::try_from(errors) {
                Ok([ArchiveError::Stopped]) => Self::Interrupted,
                Ok([error]) => error.into(),
                Err(several) => Self::Refused(several.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
            },
        }
    }
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        if error.is_stopped() { Self::Interrupted } else { Self::Store(error) }
    }
}

impl From<Stopped> for StepOutcome {
    fn from(stopped: Stopped) -> Self {
        let said = |message: String, hint: &str| {
            let hint = (!hint.is_empty()).then(|| hint.to_owned());
            Self::Failed(PgError { hint, ..PgError::protocol(message) })
        };
        match stopped {
            Stopped::Server(error) if error.kind == PgErrorKind::Lost => Self::InDoubt(error),
            Stopped::Server(error) => Self::Failed(error),
            Stopped::Archive(error @ ArchiveError::Io { full: true, .. }) => {
                let room = "make room where the store is, or its `spool`: the chunk is still in the table";
                said(error.to_string(), room)
            }
            Stopped::Archive(error) => said(error.to_string(), "the chunk is still in the table"),
            Stopped::Store(error) => {
                let hint = Some(format!("{}; what was not yet archived is still in the table", error.help()));
                let code = error.code();
                Self::Refused(code, PgError { hint, ..PgError::protocol(format!("the store: {error}")) })
            }
            late @ Stopped::Late(_) => said(late.to_string(), "the next run copies it again"),
            ref untold @ Stopped::Untold { ref chunk, ref beside, .. } => {
                let hint = format!(
                    "compare them (`chronoform archive restore --into` brings the copy's rows into another table). Where the \
                     table's are all that is to count of that time, `COMMENT ON TABLE {chunk} IS '{INSTEAD}'`; where they are \
                     none of the archive's beyond what its mark tells, `COMMENT ON TABLE {chunk} IS '{}'`: the next run goes by that",
                    beside.replace('\'', "''")
                );
                Self::Refused(&UNTOLD, PgError { hint: Some(hint), ..PgError::protocol(untold.to_string()) })
            }
            Stopped::Refused(why) => said(why, ""),
            Stopped::Interrupted => Self::Cancelled,
        }
    }
}
