//! Whether a chunk is still what was copied of it. That it is frozen does not show it: on TimescaleDB 2.28.3 a MERGE
//! writes to a frozen chunk, and somebody may have thawed it and written to it since.

use crate::core::{QualifiedName, RowError, Value};
use crate::kinds::archive::CopyOf;
use crate::ops::archive::manifest::{Manifest, Sum};
use crate::ops::archive::sql;
use crate::ops::archiver::Stopped;
use crate::ops::archiver::range::Work;

/// A chunk that is in the archive.
pub struct Copied {
    /// Which.
    pub chunk: QualifiedName,
    /// What its rows came to when it was copied.
    pub sum: Option<Sum>,
    /// What the copy is known by.
    pub token: String,
    /// The copies that it stands in for.
    pub before: Vec<CopyOf>,
}

impl Copied {
    /// By its manifest.
    pub fn of(Manifest { chunk, sum, token, replaces, .. }: Manifest) -> Self {
        Self { chunk, sum, token, before: replaces }
    }
}

impl Work<'_> {
    /// Whether a chunk is still what an earlier run copied.
    pub(super) fn is_unchanged(&mut self, chunk: &QualifiedName, manifest: &Manifest) -> Result<bool, Stopped> {
        // One that stays is archived as it was then, whatever is written to it.
        if !self.range.drop {
            return Ok(true);
        }
        // What was copied to stay was not summed.
        let Some(copied) = &manifest.sum else { return Ok(false) };
        self.session.batch("BEGIN")?;
        let now = self.sum(chunk);
        let ended = self.session.batch("ROLLBACK");
        let now = now?;
        ended?;
        Ok(now == *copied)
    }

    /// Sees to it, under locks that keep everybody from writing, that each chunk is still what was copied of it.
    pub(super) fn expect_unchanged(&mut self, copied: &[Copied]) -> Result<(), Stopped> {
        for chunk in self.range.chunks.clone() {
            let known = copied.iter().find(|copied| copied.chunk == chunk).and_then(|copied| copied.sum.as_ref());
            let Some(known) = known else {
                return Err(Stopped::Refused(format!("nothing shows that {chunk} is what was copied of it")));
            };
            if self.sum(&chunk)? != *known {
                return Err(Stopped::Late(chunk.to_string()));
            }
        }
        Ok(())
    }

    /// The number of a chunk's rows, and a sum over all that is in them. Within a transaction: the text of values
    /// depends on settings that are made for it.
    pub(super) fn sum(&mut self, chunk: &QualifiedName) -> Result<Sum, Stopped> {
        self.session.batch(&sql::settings()?)?;
        let sql = self.render("archive/sum.sql", &[("chunk", Value::Name(chunk.clone()))])?;
        let rows = self.query(&sql, Vec::new())?;
        let row = rows.first().ok_or_else(|| Stopped::Refused("the server gave no sum".to_owned()))?;
        let read = || Ok(Sum { rows: row.int("rows")?, sum: row.text("sum")?.to_owned() });
        read().map_err(|error: RowError| Stopped::Refused(error.to_string()))
    }
}
