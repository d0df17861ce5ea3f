//! What differs between desired and live, before anybody decides how to close it.

use std::fmt;

use crate::core::{Address, Desired, Live, QualifiedName, Value};

/// One attribute that differs.
#[derive(Clone, PartialEq, Debug)]
pub struct Change {
    /// The attribute's name.
    pub attribute: String,
    /// Its live value; `None` where there is no live resource or the server has no such value.
    pub before: Option<Value>,
    /// Its desired value; `None` on removal.
    pub after: Option<Value>,
}

/// Why there is a delta.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The policy describes it and the database does not have it.
    Missing,
    /// The ledger says it was applied, and it has disappeared since.
    Disappeared,
    /// The database differs from the policy.
    Differs,
    /// The database was changed since Chronoform last applied it, and the policy was not.
    Drifted,
    /// The policy says `ensure: absent`.
    Unwanted,
    /// The policy no longer mentions it, and the ledger shows that Chronoform owns it.
    Dropped,
    /// What it is on is made anew, and it goes with that.
    Remade,
    /// The same plan makes something that it is to be on as well.
    Joined,
    /// An apply that has not ended began it.
    Begun,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "the database does not have it yet",
            Self::Disappeared => "it was applied before and has disappeared from the database",
            Self::Differs => "the database differs from the policy",
            Self::Drifted => "it was changed in the database since it was last applied",
            Self::Unwanted => "the policy says `ensure: absent`",
            Self::Dropped => "the policy no longer mentions it, and Chronoform applied it",
            Self::Remade => "what it is on is made anew, and it goes with that",
            Self::Joined => "the same plan makes something that it is to be on as well",
            Self::Begun => "an apply began it, and did not end",
        })
    }
}

/// One resource whose two sides differ. `desired` is missing or absent on removal, `live` is missing on creation.
#[derive(Clone, PartialEq, Debug)]
pub struct Delta {
    /// Which resource.
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
    /// Why.
    pub reason: Reason,
    /// What differs, in the order of the attributes' names.
    pub changes: Vec<Change>,
    /// The desired side, where the resource must exist.
    pub desired: Option<Desired>,
    /// The live side, where it exists.
    pub live: Option<Live>,
}

impl Delta {
    /// Whether the resource must come to be.
    pub fn is_create(&self) -> bool {
        self.live.is_none()
    }

    /// Whether the resource must go.
    pub fn is_remove(&self) -> bool {
        self.desired.is_none()
    }

    /// The change of an attribute, where it changes.
    pub fn change(&self, attribute: &str) -> Option<&Change> {
        self.changes.iter().find(|change| change.attribute == attribute)
    }
}
