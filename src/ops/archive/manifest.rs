//! What is known of an archived chunk, beside its file: written last, and believed only whole.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::columns::Column;
use super::error::{ArchiveError, Result};
use super::evidence::Evidence;
use super::show::hex;
use crate::core::QualifiedName;
use crate::kinds::archive::CopyOf;
pub use crate::kinds::archive::{Bound, Part};

/// The version of manifests that is written, and the newest that is read.
pub const FORMAT: u32 = 2;

/// What of rows a chunk has.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Range {
    /// The column that it is of.
    pub column: String,
    /// From this on.
    pub start: Bound,
    /// Up to this, and without it.
    pub end: Bound,
}

/// The file.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its name, beside the manifest.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
    /// How it is compressed.
    pub codec: String,
    /// Which key it is encrypted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// What a server makes of all rows of a chunk, whatever their order.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// How many there are.
    pub rows: i64,
    /// The sum of their hashes.
    pub sum: String,
}

/// A column and what is known of it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The column.
    pub column: Column,
    /// What is known of its values.
    pub evidence: Evidence,
}

/// Who wrote it, from where.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versions {
    /// Chronoform's.
    pub chronoform: String,
    /// PostgreSQL's.
    pub postgresql: String,
    /// TimescaleDB's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timescaledb: Option<String>,
}

/// A chunk's manifest.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// At most [`FORMAT`]. From the second on, it names every copy that it stands in for.
    pub format_version: u32,
    /// The hypertable or table that the rows are of.
    pub relation: QualifiedName,
    /// The chunk.
    pub chunk: QualifiedName,
    /// Its range, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<Range>,
    /// Rows.
    pub rows: u64,
    /// Columns, in the file's order.
    pub columns: Vec<Kept>,
    /// The file.
    pub file: File,
    /// Who wrote it, from where.
    pub versions: Versions,
    /// The database's system identifier and name.
    pub database: String,
    /// When the snapshot that was read was taken, in UTC (RFC 3339).
    pub taken_at: String,
    /// How many bytes the rows were as COPY has them.
    pub stream_bytes: u64,
    /// What the chunk was marked with while it was copied.
    pub token: String,
    /// What the server made of the rows, where the chunk was to be dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sum: Option<Sum>,
    /// The copies that had rows of the chunk before: of what is in this one, they count no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<CopyOf>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    manifest: Manifest,
    digest: String,
}

#[derive(Deserialize)]
struct Version {
    manifest: OnlyVersion,
}

#[derive(Deserialize)]
struct OnlyVersion {
    format_version: u32,
}

impl Manifest {
    /// Whether it names every copy that it stands in for: those of the first version are of whoever did not know them,
    /// or stand in for none.
    pub fn names_all(&self) -> bool {
        self.format_version >= FORMAT
    }

    /// Its bytes, with a digest of their own. One manifest has one form.
    ///
    /// # Errors
    /// Never, in truth.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let sealed = Sealed { manifest: self.clone(), digest: self.digest()? };
        let mut bytes = serde_json::to_vec_pretty(&sealed).map_err(|_| NO_JSON)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The SHA-256 of what it says: `sha256:` and hexadecimal digits.
    ///
    /// # Errors
    /// Never, in truth.
    pub fn digest(&self) -> Result<String> {
        let bytes = serde_json::to_vec(self).map_err(|_| NO_JSON)?;
        Ok(format!("sha256:{}", hex(&Sha256::digest(&bytes))))
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`ArchiveError::Manifest`] where it is none, is a newer version's, or was changed.
    pub fn of_bytes(bytes: &[u8]) -> Result<Self> {
        let wrong = |why: String| ArchiveError::Manifest { why };
        let version: Version =
            serde_json::from_slice(bytes).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        if version.manifest.format_version > FORMAT {
            let version = version.manifest.format_version;
            return Err(wrong(format!("it is of version {version}, which a newer Chronoform wrote")));
        }
        let sealed: Sealed =
            serde_json::from_slice(bytes).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
        if sealed.manifest.digest()? != sealed.digest || sealed.manifest.to_bytes()? != bytes {
            return Err(wrong("it was changed after it was written".to_owned()));
        }
        Ok(sealed.manifest)
    }
}

const NO_JSON: ArchiveError = ArchiveError::Internal { what: "a manifest that is no JSON" };
