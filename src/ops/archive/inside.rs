//! What a file says of itself, so that it can be read back without its manifest.

use serde::{Deserialize, Serialize};

use super::columns::Column;
use super::error::{ArchiveError, Result};
use super::evidence::Evidence;

/// The version of this description that is written, and the newest that is read.
const FORMAT: u32 = 1;

/// The description, in the file's key-value metadata.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Inside {
    /// Its version.
    pub format_version: u32,
    /// More of it, by the names that the writer's caller chose.
    pub about: Vec<(String, String)>,
    /// Rows.
    pub rows: u64,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// What is known of each column.
    pub evidence: Vec<Evidence>,
}

impl Inside {
    /// Its name in the key-value metadata.
    pub const NAME: &str = "chronoform.archive";

    /// That of a file that has no rows yet.
    pub fn new(columns: &[Column], about: &[(&str, &str)]) -> Self {
        let about = about.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { format_version: FORMAT, about, rows: 0, columns: columns.to_vec(), evidence: Vec::new() }
    }

    /// The same once all rows are written.
    #[must_use]
    pub fn ended(self, rows: u64, evidence: &[Evidence]) -> Self {
        Self { rows, evidence: evidence.to_vec(), ..self }
    }

    /// As JSON.
    ///
    /// # Errors
    /// Never, in truth.
    pub fn to_text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|_| ArchiveError::Internal { what: "a description that is no JSON" })
    }

    /// Reads it.
    ///
    /// # Errors
    /// [`ArchiveError::Corrupt`] where it is none, or a newer version's.
    pub fn of_text(text: &str) -> Result<Self> {
        let corrupt = |why: String| ArchiveError::Corrupt { why };
        let version: Version = serde_json::from_str(text)
            .map_err(|error| corrupt(format!("its description of itself cannot be read: {error}")))?;
        if version.format_version > FORMAT {
            return Err(corrupt(format!(
                "it is of version {}, which a newer Chronoform wrote",
                version.format_version
            )));
        }
        let inside: Self = serde_json::from_str(text)
            .map_err(|error| corrupt(format!("its description of itself cannot be read: {error}")))?;
        if inside.columns.is_empty() || inside.columns.len() != inside.evidence.len() {
            return Err(corrupt("its description of itself lacks columns".to_owned()));
        }
        Ok(inside)
    }
}

#[derive(Deserialize)]
struct Version {
    format_version: u32,
}
