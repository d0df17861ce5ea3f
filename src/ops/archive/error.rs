//! What can go wrong with an archive file, as values.

use std::fmt;

/// Why a chunk cannot be written, read or believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ArchiveError {
    /// A column whose type has no form that is certain to come back as it was.
    Refused {
        /// The column.
        column: String,
        /// Its type, as SQL.
        pg_type: String,
        /// Why.
        why: &'static str,
    },
    /// A relation without columns: a Parquet file could not tell how many rows it has.
    NoColumns,
    /// A value that the column's Parquet type cannot hold. Written anew with this column as text, the
    /// chunk can be archived.
    Fallback {
        /// The column.
        column: String,
        /// Which value.
        why: &'static str,
    },
    /// A text that is not UTF-8, which a database in SQL_ASCII may hold.
    NotUtf8 {
        /// The column.
        column: String,
    },
    /// A COPY stream that is not as PostgreSQL documents it.
    Stream {
        /// What is wrong with it.
        why: String,
        /// The byte that it is wrong at, from the beginning of the stream.
        at: u64,
    },
    /// A file that is damaged, cut off, or none of these.
    Corrupt {
        /// What is wrong with it.
        why: String,
    },
    /// A manifest that is no manifest, or not as it was written.
    Manifest {
        /// What is wrong with it.
        why: String,
    },
    /// A file and its manifest, or its table, that do not say the same.
    Differs {
        /// The column, where it is one column that differs.
        column: Option<String>,
        /// What differs.
        what: String,
    },
    /// A relation that has not taken what was put there as it was.
    Altered {
        /// The relation.
        relation: String,
        /// The column, where it is one column that is another.
        column: Option<String>,
        /// What of it.
        what: String,
    },
    /// A key that is no AES-256 key, or one that was not made at random.
    WeakKey {
        /// What is wrong with it.
        why: &'static str,
    },
    /// The file is encrypted, and there is no key or another one.
    WrongKey {
        /// What the key's own digest begins with, where the file or its manifest says.
        wanted: Option<String>,
        /// The same of the key that there is.
        given: Option<String>,
    },
    /// Reading or writing the file failed.
    Io {
        /// The operating system's word on it.
        message: String,
        /// Whether there is no space left.
        full: bool,
    },
    /// The caller's own error, which ended the stream.
    Stopped,
    /// A defect of Chronoform itself.
    Internal {
        /// What should not have been.
        what: &'static str,
    },
}

/// A result of this folder.
pub type Result<T> = std::result::Result<T, ArchiveError>;

impl fmt::Display for ArchiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { column, pg_type, why } => {
                write!(f, "the column `{column}` of type {pg_type} cannot be archived: {why}")
            }
            Self::NoColumns => f.write_str("the relation has no columns"),
            Self::Fallback { column, why } => write!(f, "the column `{column}` can only be archived as text: {why}"),
            Self::NotUtf8 { column } => write!(f, "the column `{column}` holds text that is not UTF-8"),
            Self::Stream { why, at } => write!(f, "the COPY stream is garbled at byte {at}: {why}"),
            Self::Corrupt { why } => write!(f, "the archive file is damaged: {why}"),
            Self::Manifest { why } => write!(f, "the manifest cannot be trusted: {why}"),
            Self::Differs { column: Some(column), what } => write!(f, "the column `{column}` differs: {what}"),
            Self::Differs { column: None, what } => write!(f, "the archive differs: {what}"),
            Self::Altered { relation, column: Some(column), what } => {
                write!(f, "{relation} does not take the column `{column}` as it was archived: {what}")
            }
            Self::Altered { relation, column: None, what } => write!(f, "{relation} does not take every row: {what}"),
            Self::WeakKey { why } => write!(f, "the archive's key cannot be used: {why}"),
            Self::WrongKey { wanted, given } => match (wanted, given) {
                (Some(wanted), Some(given)) => {
                    write!(f, "the archive file is encrypted with the key {wanted}, and the key given is {given}")
                }
                (Some(wanted), None) => {
                    write!(f, "the archive file is encrypted with the key {wanted}, and no key is given")
                }
                (None, Some(given)) => write!(f, "the archive file cannot be decrypted with the key {given}"),
                (None, None) => f.write_str("the archive file is encrypted, and no key is given"),
            },
            Self::Io { message, full: true } => write!(f, "no space is left for the archive file: {message}"),
            Self::Io { message, full: false } => write!(f, "the archive file cannot be read or written: {message}"),
            Self::Stopped => f.write_str("the stream was stopped"),
            Self::Internal { what } => write!(f, "a defect of Chronoform: {what}"),
        }
    }
}

impl std::error::Error for ArchiveError {}

impl From<std::io::Error> for ArchiveError {
    fn from(error: std::io::Error) -> Self {
        let full = matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
        // An error that came through another crate's writer is ours again.
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => Self::Io { message: error.to_string(), full },
        }
    }
}

impl From<parquet::errors::ParquetError> for ArchiveError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        use parquet::errors::ParquetError;
        match error {
            ParquetError::External(inner) => match inner.downcast::<std::io::Error>() {
                Ok(io) => Self::from(*io),
                Err(other) => Self::Corrupt { why: other.to_string() },
            },
            other => Self::Corrupt { why: other.to_string() },
        }
    }
}
