//! A relation into a file, and a file into a relation, by a session.

use std::collections::BTreeSet;
use std::io::Write;

use parquet::file::reader::ChunkReader;

use super::columns::{Column, Facts, decide};
use super::copy::{Batch, Splitter};
use super::encode::settle_marks;
use super::error::{ArchiveError, Result};
use super::evidence::{Evidence, Witness};
use super::read::{Archive, Found};
use super::sql::{self, Within};
use super::write::{BATCH_BYTES, Options, Writer, Written};
use crate::core::QualifiedName;
use crate::pg::{PgError, Session};

/// What a transfer has failed with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TransferError {
    /// The archive's side: of columns that are refused, every one.
    Archive(Vec<ArchiveError>),
    /// The server's side.
    Server(PgError),
}

impl From<ArchiveError> for TransferError {
    fn from(error: ArchiveError) -> Self {
        Self::Archive(vec![error])
    }
}

impl From<PgError> for TransferError {
    fn from(error: PgError) -> Self {
        Self::Server(error)
    }
}

/// What is to be exported, and how.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The relation to read: a chunk, or any other.
    pub relation: &'a QualifiedName,
    /// What [`facts`] gave for it.
    pub facts: &'a [Facts],
    /// More for the file to say of itself, by names of the caller's.
    pub about: &'a [(&'a str, &'a str)],
    /// How the file is written.
    pub options: Options,
}

/// What has come of a relation so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Passed {
    /// Bytes, as COPY has them.
    pub bytes: u64,
    /// Rows, of those that are in batches already.
    pub rows: u64,
}

/// What was exported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Exported {
    /// The columns as they are stored.
    pub columns: Vec<Column>,
    /// The file.
    pub written: Written,
}

/// What a relation's columns are, in one round trip.
///
/// # Errors
/// The server's refusal, or a lost connection.
pub fn facts(session: &mut Session, relation: &QualifiedName) -> std::result::Result<Vec<Facts>, PgError> {
    let rows = session.query(&Facts::query(std::slice::from_ref(relation)))?;
    let facts: std::result::Result<Vec<Facts>, _> = rows.iter().map(Facts::of_row).collect();
    facts.map_err(|error| PgError::protocol(error.to_string()))
}

/// Writes a relation's rows into a file.
///
/// The session is in a transaction, and [`sql::settings`] have been run in it. Where a value needs its
/// column to be text, the export begins again, with a file that `open` gives anew: the one before is to
/// be thrown away. `watch` is told what has come so far, after every piece of it: it may wait, to spare the
/// server, or fail, to stop.
///
/// # Errors
/// Every column that is refused; what the server, the file or `watch` fail with.
pub fn export<W: Write + Send>(
    session: &mut Session,
    source: Source<'_>,
    mut open: impl FnMut() -> std::io::Result<W>,
    mut watch: impl FnMut(Passed) -> Result<()>,
) -> std::result::Result<(W, Exported), TransferError> {
    let mut as_text = BTreeSet::new();
    loop {
        let columns = decide(source.facts, &as_text).map_err(TransferError::Archive)?;
        let mut writer = Writer::new(open().map_err(ArchiveError::from)?, &columns, source.about, source.options)?;
        let mut bytes = 0;
        let copied = session.copy_out(&sql::select(source.relation, &columns)?, |piece| {
            bytes += piece.len() as u64;
            writer.write(piece)?;
            watch(Passed { bytes, rows: writer.rows() })
        })?;
        let ended = copied.and_then(|()| writer.finish());
        match ended {
            Ok((out, written)) => return Ok((out, Exported { columns, written })),
            Err(ArchiveError::Fallback { column, .. }) if as_text.insert(column.clone()) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Puts an archive's rows into a relation that has its columns, and proves on the way that they are
/// those that were archived: when they are read from the file, and again when the relation has taken them, by what
/// it has then.
///
/// The session is in a transaction, and [`sql::settings`] have been run in it. Columns that the relation
/// computes are left to it. Gives how many rows were put there: all, or those `within` a part.
///
/// # Errors
/// [`ArchiveError::Differs`] where a column is not what the archive says it is, [`ArchiveError::Altered`] where the
/// relation has not taken every row as it is; what the server and the file fail with. The transaction is to be given
/// up then.
pub fn restore<R: ChunkReader + 'static>(
    session: &mut Session,
    archive: &Archive<R>,
    relation: &QualifiedName,
    within: Option<&Within>,
) -> std::result::Result<u64, TransferError> {
    let columns = archive.columns();
    let computes = facts(session, relation)?.into_iter().filter(|fact| fact.generated).map(|fact| fact.name).collect();
    let statements = sql::restore(relation, columns, &computes)?;
    session.execute(&statements.stage)?;
    let mut found: Option<Found> = None;
    let staged = session.copy_in(&statements.load, |out| {
        let (_, read) = archive.copy_to(out)?;
        found = Some(read);
        Ok::<(), ArchiveError>(())
    })??;
    let found = found.ok_or(ArchiveError::Internal { what: "rows that were not counted" })?;
    for ((column, claimed), found) in columns.iter().zip(archive.claims()).zip(&found.evidence) {
        claimed.compare(&column.name, found)?;
    }
    if staged != found.rows {
        let what = format!("it has {} rows, and {staged} came to the server", found.rows);
        return Err(ArchiveError::Differs { column: None, what }.into());
    }
    let wanted = match within {
        Some(within) => {
            session.execute_counted(&sql::cut(columns, within)?)?;
            came_out(session, &statements.staged, columns)?
        }
        None => (found.rows, found.evidence),
    };
    let taken = came_out(session, &statements.insert, columns)?;
    session.execute(&statements.drop)?;
    same(relation, columns, &wanted, &taken)?;
    Ok(taken.0)
}

/// How many rows a COPY statement gives, and what their columns are.
fn came_out(
    session: &mut Session,
    sql: &str,
    columns: &[Column],
) -> std::result::Result<(u64, Vec<Evidence>), TransferError> {
    let mut witnesses: Vec<Witness> = columns.iter().map(|column| Witness::new(column.stored)).collect();
    let (mut splitter, mut batch, mut rows) = (Splitter::new(columns.len()), Batch::new(columns.len()), 0);
    let mut see = |batch: &mut Batch| {
        for ((witness, column), fields) in witnesses.iter_mut().zip(columns).zip(&mut batch.columns) {
            if column.stored.element_oid().is_some() {
                settle_marks(fields);
            }
            witness.see(fields, batch.rows);
            fields.clear();
        }
        rows += batch.rows as u64;
        (batch.rows, batch.bytes) = (0, 0);
    };
    let mut take = |piece: &[u8]| {
        splitter.feed(piece, &mut batch, |batch| {
            if batch.bytes >= BATCH_BYTES {
                see(batch);
            }
            Ok(())
        })
    };
    session.copy_out(sql, &mut take)??;
    splitter.finish()?;
    see(&mut batch);
    Ok((rows, witnesses.iter().map(Witness::evidence).collect()))
}

/// That a relation has taken what it was given.
fn same(
    relation: &QualifiedName,
    columns: &[Column],
    (rows, given): &(u64, Vec<Evidence>),
    (taken_rows, taken): &(u64, Vec<Evidence>),
) -> Result<()> {
    let altered = |column, what| ArchiveError::Altered { relation: relation.to_string(), column, what };
    if rows != taken_rows {
        return Err(altered(None, format!("of {rows} rows it has {taken_rows}")));
    }
    for ((column, given), taken) in columns.iter().zip(given).zip(taken) {
        if let Err(ArchiveError::Differs { what, .. }) = given.compare(&column.name, taken) {
            return Err(altered(Some(column.name.clone()), what));
        }
    }
    Ok(())
}
