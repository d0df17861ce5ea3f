//! Work that is more than a statement.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::Value;

/// Work that takes more than sending a statement, such as writing rows into a file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Task {
    /// What is to be done, as the operation that does it calls it.
    pub name: String,
    /// What it is done to, by name. Never a secret.
    pub arguments: BTreeMap<String, Value>,
}

impl Task {
    /// The argument that says how much room takes what it is done to: it is only for telling how far the work is.
    pub const ROOM: &str = "bytes";

    /// Whether another does the same, however much that is by now.
    pub fn does_the_same(&self, other: &Self) -> bool {
        let is_said = |(name, _): &(&String, &Value)| *name != Self::ROOM;
        let (own, others) = (self.arguments.iter().filter(is_said), other.arguments.iter().filter(is_said));
        self.name == other.name && own.eq(others)
    }
}
