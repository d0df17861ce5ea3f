//! What runs have brought to archives, known here too, so that it is missed where the archive has lost it; and when
//! which of it was proved whole.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Row;

use crate::core::QualifiedName;
use crate::diag::Diagnostic;
use crate::ledger::event::{ArchiveVerified, Event, OfArchive};
use crate::ledger::{Batch, Ledger, Moment, StepId, Who};

/// Archived files, by where the store is: the digests of their manifests.
pub type ArchivedFiles = BTreeMap<String, BTreeSet<String>>;

/// What a statement does with an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Archived {
    /// It brings a chunk there.
    Kept(ArchivedChunk),
    /// It removes what has a manifest of this name.
    Removed {
        /// Where the store is.
        place: String,
        /// The manifest's name in it.
        file: String,
    },
}

/// A chunk in an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArchivedChunk {
    /// Where the store is.
    pub place: String,
    /// How the names of the chunk's files in it begin.
    pub file: String,
    /// The table.
    pub table: QualifiedName,
    /// The chunk's name.
    pub chunk: String,
    /// Where its range begins, as the server prints it.
    pub from: String,
    /// Where it ends.
    pub until: String,
}

/// A chunk that a run has brought to an archive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ArchivedRecord {
    /// Which.
    pub chunk: ArchivedChunk,
    /// When that was done, for the last time.
    pub at: Moment,
}

impl From<&Archived> for OfArchive {
    fn from(archived: &Archived) -> Self {
        match archived {
            Archived::Kept(ArchivedChunk { place, file, table, chunk, from, until }) => Self {
                place: place.clone(),
                file: file.clone(),
                table: Some(table.clone()),
                chunk: chunk.clone(),
                range_start: from.clone(),
                range_end: until.clone(),
            },
            Archived::Removed { place, file } => Self { place: place.clone(), file: file.clone(), ..Self::default() },
        }
    }
}

/// What was done and is not to be there any more: whoever begins to remove it means it, however that ends.
const KEPT: &str =
    "SELECT a.place, a.file, a.schema, a.name, a.chunk, a.range_start, a.range_end, max(s.finished) AS at
      FROM step_archived AS a
      JOIN steps AS s ON s.id = a.step_id
     WHERE a.gone = 0 AND s.outcome IN ('done', 'settled_done')
       AND NOT EXISTS (SELECT 1 FROM step_archived AS g
                        WHERE g.gone = 1 AND g.step_id > a.step_id AND g.place = a.place
                          AND substr(g.file, 1, length(a.file)) = a.file)
     GROUP BY a.place, a.file
     ORDER BY a.place, a.file";

fn chunk(row: &Row<'_>) -> rusqlite::Result<ArchivedChunk> {
    Ok(ArchivedChunk {
        place: row.get("place")?,
        file: row.get("file")?,
        table: QualifiedName::new(row.get::<_, String>("schema")?, row.get::<_, String>("name")?),
        chunk: row.get("chunk")?,
        from: row.get("range_start")?,
        until: row.get("range_end")?,
    })
}

impl Batch<'_> {
    /// Records that archived files were proved whole just now.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record_proved(&mut self, proved: ArchivedFiles) -> Result<(), Diagnostic> {
        self.append(&Event::ArchiveVerified(ArchiveVerified { who: Who::here(), proved }))
    }
}

impl Ledger {
    /// When files of a store were proved whole last, by the digest of their manifest.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn proved(&self, place: &str) -> Result<BTreeMap<String, Moment>, Diagnostic> {
        self.read(|conn| {
            let mut query = conn.prepare("SELECT manifest, at FROM archive_proved WHERE place = ?1")?;
            let rows = query.query_map([place], |row| Ok((row.get(0)?, Moment(row.get(1)?))))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// What a statement does with archives.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn archived_by(&self, step: StepId) -> Result<Vec<Archived>, Diagnostic> {
        self.read(|conn| {
            let mut query = conn.prepare(
                "SELECT place, file, schema, name, chunk, range_start, range_end, gone FROM step_archived WHERE step_id = ?1",
            )?;
            let rows = query.query_map([step], |row| {
                if row.get("gone")? {
                    return Ok(Archived::Removed { place: row.get("place")?, file: row.get("file")? });
                }
                Ok(Archived::Kept(chunk(row)?))
            })?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    /// Every chunk that a run has brought to an archive, and that none was to remove since, of all databases.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn archived(&self) -> Result<Vec<ArchivedRecord>, Diagnostic> {
        self.read(|conn| {
            let mut query = conn.prepare(KEPT)?;
            let rows =
                query.query_map([], |row| Ok(ArchivedRecord { chunk: chunk(row)?, at: Moment(row.get("at")?) }))?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }
}
