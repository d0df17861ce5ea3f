//! PostgreSQL's binary COPY format, taken apart into columns and put together again.
//!
//! The format is that of `src/backend/commands/copyto.c` and the manual's page on COPY (14 to 18): a
//! signature, flags, a header extension, tuples and a trailer; a tuple is the number of its fields and
//! each field's length and bytes, −1 for NULL. A field with its length is kept as one piece, so that a
//! column is nothing but its fields one after another: what is digested, decoded and sent back.

use std::io::Write;

use super::error::{ArchiveError, Result};

/// How a stream begins.
const SIGNATURE: &[u8; 11] = b"PGCOPY\n\xff\r\n\0";

/// Signature, flags and the length of the header extension.
const HEADER: usize = SIGNATURE.len() + 8;

/// Longer than any value that PostgreSQL can hold (`MaxAllocSize`).
const LONGEST: usize = 0x3fff_ffff;

/// Rows taken apart: the fields of each column.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// How many rows.
    pub rows: usize,
    /// Of each column, its fields: a length of four bytes, big-endian, and as many bytes.
    pub columns: Vec<Vec<u8>>,
    /// Bytes of all fields with their lengths.
    pub bytes: usize,
}

impl Batch {
    /// An empty batch for so many columns.
    pub fn new(columns: usize) -> Self {
        Self { rows: 0, columns: vec![Vec::new(); columns], bytes: 0 }
    }
}

/// The fields of a column; ends at the first piece that is none.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<&'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let length = i32::from_be_bytes(*length);
        if length < 0 {
            self.0 = rest;
            return Some(None);
        }
        let (field, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(Some(field))
    }
}

/// Appends a NULL to a column's fields.
#[inline]
pub fn put_null(into: &mut Vec<u8>) {
    into.extend_from_slice(&(-1_i32).to_be_bytes());
}

/// Appends a field of a fixed length.
#[inline]
pub fn put<const N: usize>(into: &mut Vec<u8>, field: [u8; N]) {
    into.extend_from_slice(&(N as i32).to_be_bytes());
    into.extend_from_slice(&field);
}

/// Appends a field.
///
/// # Errors
/// When it is longer than PostgreSQL's longest.
#[inline]
pub fn put_bytes(into: &mut Vec<u8>, field: &[u8]) -> Result<()> {
    let length = i32::try_from(field.len()).map_err(|_| ArchiveError::Corrupt {
        why: format!("it holds a value of {} bytes, longer than any that PostgreSQL has", field.len()),
    })?;
    into.extend_from_slice(&length.to_be_bytes());
    into.extend_from_slice(field);
    Ok(())
}

/// Where in the stream the next byte belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Header,
    Rows,
    Ended,
}

/// What the next bytes are.
enum Next {
    /// A whole piece of so many bytes.
    Whole(usize),
    /// Not all of it is there: it can be told more once there are so many bytes.
    Needs(usize),
}

/// Takes a stream apart, in whatever pieces it arrives.
#[derive(Debug)]
pub struct Splitter {
    columns: usize,
    state: State,
    /// The beginning of a piece whose end has not arrived.
    carry: Vec<u8>,
    /// Bytes before the next piece.
    at: u64,
}

impl Splitter {
    /// For a stream of so many columns.
    pub fn new(columns: usize) -> Self {
        Self { columns, state: State::Header, carry: Vec::new(), at: 0 }
    }

    /// Takes the next bytes, and adds the rows that they complete. `full` is asked after every row, and
    /// may take what the batch holds.
    ///
    /// # Errors
    /// [`ArchiveError::Stream`] where the bytes are no COPY stream of so many columns; whatever `full`
    /// gives.
    pub fn feed(
        &mut self,
        mut data: &[u8],
        batch: &mut Batch,
        mut full: impl FnMut(&mut Batch) -> Result<()>,
    ) -> Result<()> {
        while !self.carry.is_empty() {
            let carry = std::mem::take(&mut self.carry);
            let next = self.piece(&carry, batch);
            self.carry = carry;
            match next? {
                Next::Whole(_) => {
                    self.carry.clear();
                    full(batch)?;
                }
                Next::Needs(wanted) => {
                    let missing = wanted.saturating_sub(self.carry.len()).min(data.len());
                    let (now, later) = data.split_at_checked(missing).unwrap_or((data, &[]));
                    if now.is_empty() {
                        return Ok(());
                    }
                    self.carry.extend_from_slice(now);
                    data = later;
                }
            }
        }
        while !data.is_empty() {
            match self.piece(data, batch)? {
                Next::Whole(length) => {
                    data = data.get(length..).unwrap_or(&[]);
                    full(batch)?;
                }
                Next::Needs(_) => {
                    self.carry.extend_from_slice(data);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// That the stream is over.
    ///
    /// # Errors
    /// [`ArchiveError::Stream`] where its trailer has not come.
    pub fn finish(&self) -> Result<()> {
        if self.state == State::Ended && self.carry.is_empty() {
            return Ok(());
        }
        Err(self.wrong("it ends before its trailer"))
    }

    fn wrong(&self, why: impl Into<String>) -> ArchiveError {
        ArchiveError::Stream { why: why.into(), at: self.at }
    }

    /// Takes one piece from the beginning of the bytes, if it is there whole.
    #[inline]
    fn piece(&mut self, data: &[u8], batch: &mut Batch) -> Result<Next> {
        let next = match self.state {
            State::Rows => self.row(data, batch)?,
            State::Header => self.header(data)?,
            State::Ended => return Err(self.wrong("there are bytes behind its trailer")),
        };
        if let Next::Whole(length) = next {
            self.at += length as u64;
        }
        Ok(next)
    }

    fn header(&mut self, data: &[u8]) -> Result<Next> {
        let signature = data.get(..SIGNATURE.len().min(data.len())).unwrap_or(data);
        if !SIGNATURE.starts_with(signature) {
            return Err(self.wrong("it does not begin as a binary COPY stream does"));
        }
        let Some((_, rest)) = data.split_at_checked(SIGNATURE.len()) else { return Ok(Next::Needs(HEADER)) };
        let Some((flags, rest)) = rest.split_first_chunk::<4>() else { return Ok(Next::Needs(HEADER)) };
        let Some((extension, _)) = rest.split_first_chunk::<4>() else { return Ok(Next::Needs(HEADER)) };
        // The upper half says what a reader must understand; of it, only OIDs were ever defined.
        if u32::from_be_bytes(*flags) >> 16 != 0 {
            return Err(self.wrong("its header has flags that are not known"));
        }
        let extension = usize::try_from(i32::from_be_bytes(*extension));
        let extension = extension.map_err(|_| self.wrong("its header extension has no length"))?;
        if extension > LONGEST {
            return Err(self.wrong("its header extension is too long"));
        }
        if data.len() < HEADER + extension {
            return Ok(Next::Needs(HEADER + extension));
        }
        self.state = State::Rows;
        Ok(Next::Whole(HEADER + extension))
    }

    #[inline]
    fn row(&mut self, data: &[u8], batch: &mut Batch) -> Result<Next> {
        let Some((count, mut rest)) = data.split_first_chunk::<2>() else { return Ok(Next::Needs(2)) };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            self.state = State::Ended;
            return Ok(Next::Whole(2));
        }
        if usize::try_from(count) != Ok(self.columns) {
            return Err(self.wrong(format!("a row has {count} fields, and there are {} columns", self.columns)));
        }
        for (index, column) in batch.columns.iter_mut().enumerate() {
            let taken = match rest.split_first_chunk::<4>().map(|(length, _)| i32::from_be_bytes(*length)) {
                Some(-1) => 4,
                Some(length) => match usize::try_from(length) {
                    Ok(length) if length <= LONGEST => 4 + length,
                    _ => return Err(self.wrong(format!("a field is said to be {length} bytes long"))),
                },
                None => 4,
            };
            let Some((field, behind)) = rest.split_at_checked(taken) else {
                let wanted = data.len() - rest.len() + taken;
                undo(data.get(2..).unwrap_or(&[]), index, batch);
                return Ok(Next::Needs(wanted));
            };
            column.extend_from_slice(field);
            rest = behind;
        }
        let length = data.len() - rest.len();
        batch.rows += 1;
        batch.bytes += length;
        Ok(Next::Whole(length))
    }
}

/// Takes the first fields of a row back that is not there whole.
#[cold]
fn undo(mut fields: &[u8], count: usize, batch: &mut Batch) {
    for column in batch.columns.iter_mut().take(count) {
        let length = fields.split_first_chunk::<4>().map_or(-1, |(length, _)| i32::from_be_bytes(*length));
        let taken = 4 + usize::try_from(length).unwrap_or(0);
        column.truncate(column.len().saturating_sub(taken));
        fields = fields.get(taken..).unwrap_or(&[]);
    }
}

/// Puts a stream together.
#[derive(Debug)]
pub struct Joiner<W: Write> {
    out: W,
    buffer: Vec<u8>,
}

/// So many bytes are put together before they are passed on.
const PASSED_ON: usize = 64 * 1024;

impl<W: Write> Joiner<W> {
    /// Begins a stream.
    pub fn new(out: W) -> Self {
        let mut buffer = Vec::with_capacity(PASSED_ON * 2);
        buffer.extend_from_slice(SIGNATURE);
        buffer.extend_from_slice(&[0; 8]);
        Self { out, buffer }
    }

    /// Adds a batch's rows.
    ///
    /// # Errors
    /// When a column has fewer fields than rows, or the writer fails.
    pub fn add(&mut self, batch: &Batch) -> Result<()> {
        let count = i16::try_from(batch.columns.len())
            .map_err(|_| ArchiveError::Corrupt { why: "it has more columns than a table can".to_owned() })?;
        let mut columns: Vec<&[u8]> = batch.columns.iter().map(Vec::as_slice).collect();
        for _ in 0..batch.rows {
            self.buffer.extend_from_slice(&count.to_be_bytes());
            for column in &mut columns {
                let mut fields = Fields(column);
                fields.next().ok_or(ArchiveError::Internal { what: "a column has fewer fields than rows" })?;
                let taken = column.len() - fields.0.len();
                self.buffer.extend_from_slice(column.get(..taken).unwrap_or(&[]));
                *column = fields.0;
            }
            if self.buffer.len() >= PASSED_ON {
                self.out.write_all(&self.buffer)?;
                self.buffer.clear();
            }
        }
        Ok(())
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// When the writer fails.
    pub fn finish(mut self) -> Result<W> {
        self.buffer.extend_from_slice(&(-1_i16).to_be_bytes());
        self.out.write_all(&self.buffer)?;
        self.out.flush()?;
        Ok(self.out)
    }
}
