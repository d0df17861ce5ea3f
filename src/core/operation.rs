//! What closes a difference: `apply`, which brings definitions to their policies, or `run`, which does
//! the work that is due by them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A sort of work that `run` does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Old chunks are written to an archive and, once that is proved, dropped.
    Archive,
    /// The server is backed up, and its backups are proved.
    Backup,
    /// What keeps live tables in shape.
    Maintenance,
}

impl Operation {
    /// Every sort.
    pub const ALL: [Self; 3] = [Self::Archive, Self::Backup, Self::Maintenance];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Backup => "backup",
            Self::Maintenance => "maintenance",
        }
    }

    /// Reads [`Self::as_str`]'s word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.as_str() == word)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which command closes the differences of a kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ClosedBy {
    /// It is a definition: `apply`.
    Apply,
    /// It is work that is due: `run`.
    Run(Operation),
}
