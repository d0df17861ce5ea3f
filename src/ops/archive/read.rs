//! A Parquet file back into a COPY stream, or only looked at.

use std::io::Write;
use std::sync::Arc;

use parquet::column::page::PageReader;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use super::columns::Column;
use super::copy::{Batch, Fields, Joiner};
use super::decode::Decoder;
use super::encode::shapes;
use super::error::{ArchiveError, Result};
use super::evidence::{Evidence, Witness};
use super::inside::Inside;
use super::schema::schema;
use super::show;
use super::stored::Stored;
use crate::core::caught::caught;

/// So many rows are decoded at once.
const ROWS: usize = 4 * 1024;

/// A batch of wide rows is made smaller, to be of about so many bytes.
const BYTES: usize = 4 << 20;

/// What a file was found to hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found {
    /// Rows.
    pub rows: u64,
    /// Bytes of all fields with their lengths, as COPY has them.
    pub decoded_bytes: u64,
    /// What is known of each column.
    pub evidence: Vec<Evidence>,
}

/// An archive file, opened.
pub struct Archive<R: ChunkReader + 'static> {
    source: Arc<R>,
    metadata: ParquetMetaData,
    inside: Inside,
    /// Of each column, the number of its first leaf.
    first_leaves: Vec<usize>,
}

impl<R: ChunkReader + 'static> Archive<R> {
    /// Opens a file, and reads what it says of itself.
    ///
    /// # Errors
    /// [`ArchiveError::Corrupt`] where it is no archive, is cut off or damaged.
    pub fn open(source: R) -> Result<Self> {
        let source = Arc::new(source);
        let metadata = guarded(|| Ok(ParquetMetaDataReader::new().parse_and_finish(&*source)?))?;
        let inside = metadata
            .file_metadata()
            .key_value_metadata()
            .and_then(|pairs| pairs.iter().find(|pair| pair.key == Inside::NAME).and_then(|pair| pair.value.clone()));
        let corrupt = |why: &str| ArchiveError::Corrupt { why: why.to_owned() };
        let inside = Inside::of_text(&inside.ok_or_else(|| corrupt("no archive of Chronoform's is in it"))?)?;
        let wanted = SchemaDescriptor::new(schema(&inside.columns)?);
        let found = metadata.file_metadata().schema_descr();
        let shape = |descr: &ColumnDescPtr| {
            (descr.physical_type(), descr.max_def_level(), descr.max_rep_level(), descr.path().clone())
        };
        if !wanted.columns().iter().map(shape).eq(found.columns().iter().map(shape)) {
            return Err(corrupt("its columns are not those that it says it has"));
        }
        let rows = metadata
            .row_groups()
            .iter()
            .try_fold(0_u64, |all, group| all.checked_add(u64::try_from(group.num_rows()).ok()?));
        if rows != Some(inside.rows) || u64::try_from(metadata.file_metadata().num_rows()) != Ok(inside.rows) {
            return Err(corrupt("it has not as many rows as it says"));
        }
        let mut next = 0;
        let first_leaves = inside.columns.iter().map(|column| {
            let first = next;
            next += shapes(column.stored).count();
            first
        });
        let first_leaves = first_leaves.collect();
        Ok(Self { source, metadata, inside, first_leaves })
    }

    /// Its columns.
    pub fn columns(&self) -> &[Column] {
        &self.inside.columns
    }

    /// Its rows, as it says.
    pub fn rows(&self) -> u64 {
        self.inside.rows
    }

    /// What it says of each column, which only [`Archive::look`] finds out to be so.
    pub fn claims(&self) -> &[Evidence] {
        &self.inside.evidence
    }

    /// More that its writer's caller wanted to be in it.
    pub fn about(&self) -> &[(String, String)] {
        &self.inside.about
    }

    /// Reads every value, with so many threads, each of which reads whole columns.
    ///
    /// # Errors
    /// [`ArchiveError::Corrupt`] where something cannot be read.
    pub fn look(&self, threads: usize) -> Result<Found> {
        let threads = threads.clamp(1, self.columns().len());
        let look = |thread: usize| -> Result<Vec<(usize, Evidence, u64)>> {
            let mine = (thread..self.columns().len()).step_by(threads);
            mine.map(|index| self.look_at(index).map(|(evidence, bytes)| (index, evidence, bytes))).collect()
        };
        let looked: Vec<Result<Vec<(usize, Evidence, u64)>>> = if threads == 1 {
            vec![guarded(|| look(0))]
        } else {
            std::thread::scope(|scope| {
                let running: Vec<_> =
                    (0..threads).map(|thread| scope.spawn(move || guarded(|| look(thread)))).collect();
                running.into_iter().map(|handle| handle.join().unwrap_or_else(|_| Err(panicked()))).collect()
            })
        };
        let mut each = Vec::with_capacity(self.columns().len());
        for looked in looked {
            each.extend(looked?);
        }
        each.sort_by_key(|(index, ..)| *index);
        let decoded_bytes = each.iter().map(|(.., bytes)| bytes).sum::<u64>() + self.rows() * 2;
        let evidence = each.into_iter().map(|(_, evidence, _)| evidence).collect();
        Ok(Found { rows: self.rows(), decoded_bytes, evidence })
    }

    fn look_at(&self, index: usize) -> Result<(Evidence, u64)> {
        let column = self.column(index)?;
        let mut witness = Witness::new(column.stored);
        let mut fields = Vec::new();
        let mut bytes = 0;
        for group in 0..self.metadata.num_row_groups() {
            let mut decoder = self.decoder(group, index)?;
            let (mut rest, at_once) = self.extent(group)?;
            while rest > 0 {
                let rows = rest.min(at_once);
                fields.clear();
                decoder.read(rows, &mut fields)?;
                witness.see(&fields, rows);
                bytes += fields.len() as u64;
                rest -= rows;
            }
        }
        Ok((witness.evidence(), bytes))
    }

    /// Writes all rows as a binary COPY stream.
    ///
    /// # Errors
    /// [`ArchiveError::Corrupt`] where something cannot be read; what the writer fails with.
    pub fn copy_to<W: Write>(&self, out: W) -> Result<(W, Found)> {
        let mut joiner = Joiner::new(out);
        let mut witnesses: Vec<Witness> = self.columns().iter().map(|column| Witness::new(column.stored)).collect();
        let mut decoded_bytes = 0;
        self.batches(u64::MAX, |batch| {
            for (witness, fields) in witnesses.iter_mut().zip(&batch.columns) {
                witness.see(fields, batch.rows);
                decoded_bytes += fields.len() as u64;
            }
            decoded_bytes += batch.rows as u64 * 2;
            joiner.add(batch)
        })?;
        let evidence = witnesses.iter().map(Witness::evidence).collect();
        Ok((joiner.finish()?, Found { rows: self.rows(), decoded_bytes, evidence }))
    }

    /// The first rows, each value as PostgreSQL would show it.
    ///
    /// # Errors
    /// [`ArchiveError::Corrupt`] where something cannot be read.
    pub fn preview(&self, rows: usize) -> Result<Vec<Vec<Option<String>>>> {
        let mut shown = Vec::new();
        self.batches(rows as u64, |batch| {
            let mut columns: Vec<(Stored, Fields<'_>)> =
                self.columns().iter().zip(&batch.columns).map(|(column, all)| (column.stored, Fields(all))).collect();
            for _ in 0..batch.rows {
                let row = columns.iter_mut().map(|(stored, fields)| {
                    fields.next().flatten().map(|field| show::field(*stored, field).unwrap_or_else(|| "?".to_owned()))
                });
                shown.push(row.collect());
            }
            Ok(())
        })?;
        Ok(shown)
    }

    /// How many rows have a value in a column that `takes` takes, as PostgreSQL would show it; and the first of them, as
    /// [`Archive::preview`] gives them.
    ///
    /// # Errors
    /// [`ArchiveError::Corrupt`] where something cannot be read, or it has no such column.
    pub fn chosen(
        &self,
        column: &str,
        takes: impl Fn(Option<&str>) -> bool,
        rows: usize,
    ) -> Result<(u64, Vec<Vec<Option<String>>>)> {
        let index = self.columns().iter().position(|own| own.name == column);
        let index = index.ok_or_else(|| ArchiveError::Corrupt { why: format!("it has no column `{column}`") })?;
        let stored = self.column(index)?.stored;
        let (mut found, mut first, mut at) = (0, Vec::new(), 0);
        guarded(|| {
            let mut fields = Vec::new();
            for group in 0..self.metadata.num_row_groups() {
                let mut decoder = self.decoder(group, index)?;
                let (mut rest, at_once) = self.extent(group)?;
                while rest > 0 {
                    let rows_now = rest.min(at_once);
                    fields.clear();
                    decoder.read(rows_now, &mut fields)?;
                    for field in Fields(&fields) {
                        if takes(field.and_then(|field| show::field(stored, field)).as_deref()) {
                            found += 1;
                            if first.len() < rows {
                                first.push(at);
                            }
                        }
                        at += 1;
                    }
                    rest -= rows_now;
                }
            }
            Ok(())
        })?;
        let until = first.last().map_or(0, |last| last + 1);
        let mut number = 0;
        let mut shown = self.preview(until)?;
        shown.retain(|_| {
            number += 1;
            first.binary_search(&(number - 1)).is_ok()
        });
        Ok((found, shown))
    }

    /// Decodes rows, no more than so many, a batch at a time.
    fn batches(&self, limit: u64, mut take: impl FnMut(&Batch) -> Result<()>) -> Result<()> {
        guarded(|| {
            let mut left = usize::try_from(limit).unwrap_or(usize::MAX);
            let mut batch = Batch::new(self.columns().len());
            for group in 0..self.metadata.num_row_groups() {
                let decoders: Result<Vec<Decoder>> =
                    (0..self.columns().len()).map(|index| self.decoder(group, index)).collect();
                let mut decoders = decoders?;
                let (mut rest, at_once) = self.extent(group)?;
                while rest > 0 && left > 0 {
                    let rows = rest.min(at_once).min(left);
                    batch.rows = rows;
                    for (decoder, fields) in decoders.iter_mut().zip(&mut batch.columns) {
                        fields.clear();
                        decoder.read(rows, fields)?;
                    }
                    take(&batch)?;
                    rest -= rows;
                    left -= rows;
                }
            }
            Ok(())
        })
    }

    fn column(&self, index: usize) -> Result<&Column> {
        self.columns().get(index).ok_or(ArchiveError::Internal { what: "a column that is not there" })
    }

    fn group(&self, group: usize) -> Result<&RowGroupMetaData> {
        self.metadata.row_groups().get(group).ok_or(ArchiveError::Internal { what: "a row group that is not there" })
    }

    /// How many rows a row group has, and how many to decode at once.
    fn extent(&self, group: usize) -> Result<(usize, usize)> {
        let group = self.group(group)?;
        let rows = usize::try_from(group.num_rows()).unwrap_or(0);
        let bytes = usize::try_from(group.total_byte_size()).unwrap_or(0);
        let width = bytes.checked_div(rows).unwrap_or(0).max(1);
        Ok((rows, (BYTES / width).clamp(1, ROWS)))
    }

    fn decoder(&self, group: usize, index: usize) -> Result<Decoder> {
        let column = self.column(index)?;
        let row_group = self.group(group)?;
        let rows = usize::try_from(row_group.num_rows()).unwrap_or(0);
        let first = self.first_leaves.get(index).copied().unwrap_or(0);
        let mut leaves: Vec<(ColumnDescPtr, Box<dyn PageReader>)> = Vec::new();
        for leaf in row_group.columns().iter().skip(first).take(shapes(column.stored).count()) {
            let pages = SerializedPageReader::new(Arc::clone(&self.source), leaf, rows, None)?;
            leaves.push((leaf.column_descr_ptr(), Box::new(pages)));
        }
        Decoder::new(column.stored, leaves)
    }
}

fn panicked() -> ArchiveError {
    ArchiveError::Corrupt { why: "it is not as the reader of Parquet files takes every file to be".to_owned() }
}

/// A damaged file may be one that the Parquet reader was not prepared for: that is an error too.
fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(read).unwrap_or_else(|| Err(panicked()))
}
