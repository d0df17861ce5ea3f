//! A COPY stream into a Parquet file, in the memory of one row group's compressed bytes.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};
use sha2::{Digest, Sha256};

use super::columns::Column;
use super::copy::{Batch, Splitter};
use super::encode::shapes;
use super::error::{ArchiveError, Result};
use super::evidence::Evidence;
use super::inside::Inside;
use super::schema::schema;
use super::show::hex;
use super::work::{Group, Workers};

/// A batch is given on with so many rows.
const BATCH_ROWS: usize = 8 * 1024;

/// Or with so many bytes.
pub const BATCH_BYTES: usize = 1 << 20;

/// How a file is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// A row group ends with so many bytes of rows, as COPY has them.
    pub row_group: usize,
    /// Or with so many compressed bytes, which is what is held in memory.
    pub held: usize,
    /// The level of zstd.
    pub level: i32,
    /// Threads that encode and compress.
    pub threads: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { row_group: 128 << 20, held: 48 << 20, level: 1, threads: 2 }
    }
}

/// What was written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// Bytes of the COPY stream.
    pub stream_bytes: u64,
    /// The file's SHA-256, in hexadecimal.
    pub sha256: String,
    /// What is known of each column.
    pub evidence: Vec<Evidence>,
}

/// Takes a COPY stream in pieces, and writes a Parquet file.
pub struct Writer<W: Write + Send> {
    file: SerializedFileWriter<Counted<W>>,
    workers: Workers,
    splitter: Splitter,
    batch: Batch,
    options: Options,
    inside: Inside,
    /// Bytes and rows since the row group began.
    group: (usize, usize),
    stream_bytes: u64,
    rows: u64,
}

impl<W: Write + Send> Writer<W> {
    /// Begins a file of a relation's columns. `about` says more of it, by names of the caller's.
    ///
    /// # Errors
    /// When the file cannot be written to, or there is no such level of compression.
    pub fn new(out: W, columns: &[Column], about: &[(&str, &str)], options: Options) -> Result<Self> {
        if columns.is_empty() {
            return Err(ArchiveError::NoColumns);
        }
        let schema = schema(columns)?;
        let properties = WriterProperties::builder()
            .set_created_by(concat!("chronoform version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        let descr = SchemaDescriptor::new(Arc::clone(&schema));
        let mut leaves = descr.columns().iter().cloned();
        let of_column = |column: &Column| leaves.by_ref().take(shapes(column.stored).count()).collect();
        let descr: Vec<Vec<ColumnDescPtr>> = columns.iter().map(of_column).collect();
        let file = SerializedFileWriter::new(Counted::new(out), schema, Arc::new(properties))?;
        Ok(Self {
            file,
            workers: Workers::start(columns, &descr, options.threads, options.level)?,
            splitter: Splitter::new(columns.len()),
            batch: Batch::new(columns.len()),
            options,
            inside: Inside::new(columns, about),
            group: (0, 0),
            stream_bytes: 0,
            rows: 0,
        })
    }

    /// Takes the next bytes of the stream.
    ///
    /// # Errors
    /// [`ArchiveError::Stream`] where they are no COPY stream of these columns,
    /// [`ArchiveError::Fallback`] where a value needs its column to be text, and what the file fails
    /// with. Nothing can be written after an error.
    pub fn write(&mut self, data: &[u8]) -> Result<()> {
        self.stream_bytes += data.len() as u64;
        let Self { splitter, batch, workers, file, options, group, rows, .. } = self;
        splitter.feed(data, batch, |batch| {
            if batch.rows < BATCH_ROWS && batch.bytes < BATCH_BYTES {
                return Ok(());
            }
            *rows += batch.rows as u64;
            group.0 += batch.bytes;
            group.1 += batch.rows;
            workers.give(batch)?;
            let is_held = workers.held() >= options.held;
            if group.0 >= options.row_group || is_held {
                *group = (0, 0);
                workers.end_group()?;
            }
            // What is as much as may be held is let go of before more is.
            append(file, workers.complete(is_held)?)
        })
    }

    /// How many rows went into batches.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Ends the file.
    ///
    /// # Errors
    /// As [`Writer::write`]; and where the stream has no end.
    pub fn finish(mut self) -> Result<(W, Written)> {
        self.splitter.finish()?;
        self.rows += self.batch.rows as u64;
        if self.batch.rows > 0 {
            self.group.1 += self.batch.rows;
            self.workers.give(&mut self.batch)?;
        }
        if self.group.1 > 0 {
            self.workers.end_group()?;
        }
        let groups = self.workers.complete(true)?;
        append(&mut self.file, groups)?;
        let evidence = self.workers.end()?;
        let inside = self.inside.ended(self.rows, &evidence);
        self.file.append_key_value_metadata(KeyValue::new(Inside::NAME.to_owned(), inside.to_text()?));
        let counted = self.file.into_inner()?;
        let (out, bytes, sha256) = counted.finish()?;
        Ok((out, Written { rows: self.rows, bytes, stream_bytes: self.stream_bytes, sha256, evidence }))
    }
}

fn append<W: Write + Send>(file: &mut SerializedFileWriter<W>, groups: Vec<Group>) -> Result<()> {
    for group in groups {
        let mut row_group = file.next_row_group()?;
        for done in group.into_iter().flatten() {
            row_group.append_column(&Parts(done.bytes), done.close)?;
        }
        row_group.close()?;
    }
    Ok(())
}

/// A column chunk in memory, in parts.
struct Parts(Vec<Bytes>);

/// Reads parts one after another, and lets go of each.
struct InTurn(std::vec::IntoIter<Bytes>, Bytes);

impl std::io::Read for InTurn {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.1.is_empty() {
            let Some(next) = self.0.next() else { return Ok(0) };
            self.1 = next;
        }
        let now = self.1.split_to(self.1.len().min(into.len()));
        if let Some(into) = into.get_mut(..now.len()) {
            into.copy_from_slice(&now);
        }
        Ok(now.len())
    }
}

impl Length for Parts {
    fn len(&self) -> u64 {
        self.0.iter().map(|part| part.len() as u64).sum()
    }
}

impl ChunkReader for Parts {
    type T = InTurn;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        if start != 0 {
            return Err(ParquetError::General("a column chunk is appended from its beginning".to_owned()));
        }
        Ok(InTurn(self.0.clone().into_iter(), Bytes::new()))
    }

    fn get_bytes(&self, _start: u64, _length: usize) -> parquet::errors::Result<Bytes> {
        Err(ParquetError::General("a column chunk is appended as a stream".to_owned()))
    }
}

/// Counts and digests what is written.
struct Counted<W: Write> {
    out: W,
    digest: Sha256,
    bytes: u64,
}

impl<W: Write> Counted<W> {
    fn new(out: W) -> Self {
        Self { out, digest: Sha256::new(), bytes: 0 }
    }

    fn finish(mut self) -> Result<(W, u64, String)> {
        self.out.flush()?;
        Ok((self.out, self.bytes, hex(&self.digest.finalize())))
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, data: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(data)?;
        self.digest.update(data.get(..written).unwrap_or(&[]));
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
