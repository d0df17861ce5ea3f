//! What is wrong where a bucket does not do what it is asked.

use std::fmt;
use std::io;

/// Sorts of trouble with a bucket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// It lets nobody in with this key and this secret, or not for this.
    Refused,
    /// The bucket is not there, or is somewhere else.
    NoBucket,
    /// The object is not there.
    NoObject,
    /// The server is not there, does not answer, or answers again and again that it cannot.
    Unreachable,
    /// The server's certificate is not one that is trusted.
    Untrusted,
    /// Another object is there already.
    Occupied,
    /// Somebody asked for it to stop.
    Stopped,
    /// A file of this machine.
    File,
    /// Something else.
    Other,
}

/// A bucket that does not do what it is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BucketError {
    /// What is wrong.
    pub sort: Sort,
    /// In words, without any secret.
    pub message: String,
    /// Whether there is no space left on this machine.
    pub full: bool,
}

impl BucketError {
    /// One of a sort.
    pub fn new(sort: Sort, message: impl Into<String>) -> Self {
        Self { sort, message: message.into(), full: false }
    }

    /// Whether it is only that an object is not there.
    pub fn is_no_object(&self) -> bool {
        self.sort == Sort::NoObject
    }
}

impl fmt::Display for BucketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BucketError {}

impl From<io::Error> for BucketError {
    fn from(error: io::Error) -> Self {
        let full = matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        match error.downcast::<Self>() {
            Ok(own) => own,
            Err(error) => Self { sort: Sort::File, message: error.to_string(), full },
        }
    }
}

impl From<BucketError> for io::Error {
    fn from(error: BucketError) -> Self {
        let kind = if error.is_no_object() { io::ErrorKind::NotFound } else { io::ErrorKind::Other };
        Self::new(kind, error)
    }
}
