//! What is wrong with a store.

use std::fmt;
use std::io;

use crate::bucket::{BucketError, Sort};
use crate::diag::{Code, Diagnostic};
use crate::kinds::archive_store::{NO_BUCKET, REFUSED, UNREACHABLE, UNTRUSTED, UNUSABLE, WRONG_KEY};
use crate::kinds::repository::NOT_AT_HAND;
use crate::ops::archive::ArchiveError;

/// A store that cannot be read or written.
#[derive(Debug)]
pub enum StoreError {
    /// A folder.
    Folder(io::Error),
    /// A bucket, with where its key and its secret are from.
    Bucket(BucketError, Vec<String>),
    /// What lets into the bucket, or the key, is not at hand: where it is from.
    NoSecret(Vec<String>),
    /// A file that is encrypted cannot be decrypted, or the key is none.
    Sealed(ArchiveError),
}

impl StoreError {
    /// Its code.
    pub fn code(&self) -> &'static Code {
        match self {
            Self::Folder(_) => &UNUSABLE,
            Self::NoSecret(_) => &NOT_AT_HAND,
            Self::Sealed(ArchiveError::Corrupt { .. }) => &UNUSABLE,
            Self::Sealed(_) => &WRONG_KEY,
            Self::Bucket(error, _) => match error.sort {
                Sort::Refused => &REFUSED,
                Sort::NoBucket => &NO_BUCKET,
                Sort::Unreachable => &UNREACHABLE,
                Sort::Untrusted => &UNTRUSTED,
                _ => &UNUSABLE,
            },
        }
    }

    /// What would help.
    pub fn help(&self) -> String {
        match self {
            Self::Folder(error) if error.kind() == io::ErrorKind::StorageFull => "make room where the store is".to_owned(),
            Self::Folder(_) => {
                "it must be a folder of this machine that whoever runs Chronoform may read and write".to_owned()
            }
            Self::Sealed(ArchiveError::WeakKey { .. }) => {
                "make a key with `openssl rand -hex 32`, and keep it where the archive is not".to_owned()
            }
            Self::Sealed(ArchiveError::Corrupt { .. }) => {
                "no key helps: bring the file back from where the store is kept a second time".to_owned()
            }
            Self::Sealed(_) => {
                "write where the key is that the file was written with, in `former_key_files` of the store's `encryption`: no \
                 other can read it".to_owned()
            }
            Self::NoSecret(_) => {
                "set the variable, or make the file readable, for whoever runs Chronoform".to_owned()
            }
            Self::Bucket(error, secrets) => match error.sort {
                Sort::Refused => format!(
                    "look whether {} are of one access key that may list, read, write and delete in the bucket, and \
                     whether this machine's clock is right",
                    secrets.join(" and ")
                ),
                Sort::NoBucket => {
                    "make the bucket, or write its name, its `endpoint`, its `region` and `uri_style` as its server has them"
                        .to_owned()
                }
                Sort::Unreachable => {
                    "look whether `endpoint` of `location: {s3: …}` is what serves the bucket, by TLS, and whether this \
                     machine can reach it; once it can, run this again"
                        .to_owned()
                }
                Sort::Untrusted => {
                    "name the file with the authority that its certificate is of, `location: {s3: {ca_file: …}}`, or \
                     write the `endpoint` as the certificate has it"
                        .to_owned()
                }
                Sort::File if error.full => "make room in `spool` of `location`, or name another folder".to_owned(),
                Sort::File => {
                    "`spool` of `location` must be a folder that whoever runs Chronoform may write to".to_owned()
                }
                Sort::Occupied => {
                    "look what it is: an object without a manifest counts for nothing, and may be removed".to_owned()
                }
                _ => "look what the server says of it, and run this again".to_owned(),
            },
        }
    }

    /// As a diagnostic.
    pub fn diagnostic(&self, place: &str) -> Diagnostic {
        Diagnostic::error(self.code(), format!("the store {place} cannot be read: {self}")).help(self.help())
    }

    /// Whether only the one file that was asked for is at fault: it is not there, or cannot be read.
    pub fn is_of_one_file(&self) -> bool {
        match self {
            Self::Folder(_) => true,
            Self::Bucket(error, _) => error.is_no_object(),
            Self::NoSecret(_) => false,
            Self::Sealed(error) => matches!(error, ArchiveError::Corrupt { .. } | ArchiveError::WrongKey { .. }),
        }
    }

    /// Whether somebody asked for it to stop.
    pub fn is_stopped(&self) -> bool {
        matches!(self, Self::Bucket(error, _) if error.sort == Sort::Stopped)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(error) => write!(f, "{error}"),
            Self::Bucket(error, _) => write!(f, "{error}"),
            Self::Sealed(error) => write!(f, "{error}"),
            Self::NoSecret(from) => {
                let are = if from.len() == 1 { "is" } else { "are" };
                write!(f, "{} {are} not at hand", from.join(" and "))
            }
        }
    }
}

impl std::error::Error for StoreError {}

impl From<io::Error> for StoreError {
    fn from(error: io::Error) -> Self {
        Self::Folder(error)
    }
}
