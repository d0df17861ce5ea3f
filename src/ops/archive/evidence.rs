//! What proves that a column that was read back is the column that was written.
//!
//! The digest is XXH3 of 128 bits over the column's fields as the wire has them, each with its length
//! and a NULL as −1, in order. Nobody chooses the values against it: it is to find what a disk, a defect
//! or a cut-off file changes, for which 2⁻¹²⁸ is plenty and a cryptographic hash five times slower. That
//! nobody has changed the file on purpose is for its SHA-256, which the manifest holds.

use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_128;

use super::copy::Fields;
use super::error::{ArchiveError, Result};
use super::show;
use super::stored::{Native, Stored};

/// What is known of a column's values.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Values that are not NULL.
    pub values: u64,
    /// NULLs.
    pub nulls: u64,
    /// The smallest value, as PostgreSQL shows it, where the order does not depend on a collation. NaN
    /// is left out of account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// The largest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// `xxh3-128:` and 32 hexadecimal digits.
    pub digest: String,
}

impl Evidence {
    /// What of it may be read by whoever may not read the values: not which of them are at the ends.
    #[must_use]
    pub fn without_values(self) -> Self {
        Self { min: None, max: None, ..self }
    }

    /// That another reading of the column found the same.
    ///
    /// # Errors
    /// [`ArchiveError::Differs`], with what differs.
    pub fn compare(&self, column: &str, found: &Self) -> Result<()> {
        if self == found {
            return Ok(());
        }
        let count = |evidence: &Self| format!("{} values and {} NULLs", evidence.values, evidence.nulls);
        let bounds = |evidence: &Self| {
            let word = |bound: &Option<String>| bound.clone().unwrap_or_else(|| "none".to_owned());
            format!("{} to {}", word(&evidence.min), word(&evidence.max))
        };
        let what = if (self.values, self.nulls) != (found.values, found.nulls) {
            format!("it had {}, and has {}", count(self), count(found))
        } else if (&self.min, &self.max) != (&found.min, &found.max) {
            format!("its values were {}, and are {}", bounds(self), bounds(found))
        } else {
            format!("its digest was {}, and is {}", self.digest, found.digest)
        };
        Err(ArchiveError::Differs { column: Some(column.to_owned()), what })
    }
}

/// Looks at a column's fields as they pass.
pub struct Witness {
    stored: Stored,
    digest: XxHash3_128,
    values: u64,
    nulls: u64,
    bounds: Option<(i128, i128)>,
}

impl Witness {
    /// One that has seen nothing yet.
    pub fn new(stored: Stored) -> Self {
        Self { stored, digest: XxHash3_128::new(), values: 0, nulls: 0, bounds: None }
    }

    /// Looks at fields, of so many rows.
    pub fn see(&mut self, fields: &[u8], rows: usize) {
        self.digest.write(fields);
        let nulls = match self.stored {
            Stored::Native(native) => self.see_values(native, fields),
            Stored::List { .. } | Stored::AsText => Fields(fields).filter(Option::is_none).count(),
        };
        self.nulls += nulls as u64;
        self.values += rows.saturating_sub(nulls) as u64;
    }

    /// Takes in the bounds, and gives the number of NULLs.
    fn see_values(&mut self, native: Native, fields: &[u8]) -> usize {
        match show::ordered(native) {
            Some(show::Order::Eight) => self.see_eight(fields),
            Some(show::Order::Other) => {
                let mut nulls = 0;
                for field in Fields(fields) {
                    match field {
                        Some(field) => {
                            if let Some(key) = show::key(native, field) {
                                self.widen(key, key);
                            }
                        }
                        None => nulls += 1,
                    }
                }
                nulls
            }
            None => Fields(fields).filter(Option::is_none).count(),
        }
    }

    /// Signed numbers of eight bytes: most columns of most tables.
    fn see_eight(&mut self, fields: &[u8]) -> usize {
        let (mut least, mut most, mut nulls) = (i64::MAX, i64::MIN, 0);
        for field in Fields(fields) {
            match field.map(<[u8; 8]>::try_from) {
                Some(Ok(value)) => {
                    let value = i64::from_be_bytes(value);
                    least = least.min(value);
                    most = most.max(value);
                }
                Some(Err(_)) => {}
                None => nulls += 1,
            }
        }
        if least <= most {
            self.widen(i128::from(least), i128::from(most));
        }
        nulls
    }

    fn widen(&mut self, least: i128, most: i128) {
        let (a, b) = self.bounds.unwrap_or((least, most));
        self.bounds = Some((a.min(least), b.max(most)));
    }

    /// What was seen.
    pub fn evidence(&self) -> Evidence {
        let native = self.stored.native();
        let (min, max) =
            self.bounds.map(|(least, most)| (show::of_key(native, least), show::of_key(native, most))).unzip();
        Evidence {
            values: self.values,
            nulls: self.nulls,
            min,
            max,
            digest: format!("xxh3-128:{:032x}", self.digest.finish_128()),
        }
    }
}
