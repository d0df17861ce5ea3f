//! A data file that several threads read at once, each at its own place; wherever it is.
//!
//! The operating system keeps one position for all duplicates of an open file, and so does the parquet
//! crate's own reader of files: two threads that read by it read each other's bytes.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::file::reader::{ChunkReader, Length};

/// What can be read at any place.
pub trait ReadAt: Send + Sync {
    /// Reads some bytes from a place on; none only at the end.
    ///
    /// # Errors
    /// What keeps it from being read.
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize>;
}

impl ReadAt for File {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        FileExt::read_at(self, buffer, at)
    }
}

/// An open file, and how long it was then.
#[derive(Clone)]
pub struct DataFile {
    file: Arc<dyn ReadAt>,
    length: u64,
}

impl DataFile {
    /// Takes an open file.
    ///
    /// # Errors
    /// When its length cannot be told.
    pub fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), length })
    }

    /// Takes anything that can be read at any place, and is so long.
    pub fn of(file: Arc<dyn ReadAt>, length: u64) -> Self {
        Self { file, length }
    }
}

/// A reader with a position of its own.
pub struct At {
    file: Arc<dyn ReadAt>,
    position: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Length for DataFile {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for DataFile {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::with_capacity(256 << 10, At { file: Arc::clone(&self.file), position: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        // A damaged file may ask for more than there is.
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let mut bytes = vec![0; length];
        At { file: Arc::clone(&self.file), position: start }.read_exact(&mut bytes)?;
        Ok(bytes.into())
    }
}
