//! Live storage parameters as their section.

use crate::core::{Live, Value};
use crate::kinds::storage::CHUNKS_WITHOUT;
use crate::kinds::{Entries, Export, View, reloption};

/// See [`crate::kinds::Kind::export`]. What only some chunks have is left out, since a policy would set
/// it on all of them.
pub fn export(live: &Live, view: &View<'_>) -> Export {
    let lacking = live.get(CHUNKS_WITHOUT).map(Value::as_list).unwrap_or_default();
    let is_lacking = |name: &str| lacking.iter().any(|lacking| lacking.as_text() == Some(name));
    let mut entries = Entries::default();
    let mut remarks = Vec::new();
    for (name, value) in live.attributes.iter().filter(|(name, _)| *name != CHUNKS_WITHOUT) {
        match is_lacking(name) {
            true => remarks.push(format!("`{name}: {value}`, which not every chunk has")),
            false => entries = entries.with(name, reloption::written(value)),
        }
    }
    if !entries.is_empty() {
        return Export::section(live, view, "storage", entries).but(remarks);
    }
    if remarks.is_empty() { Export::Nothing } else { Export::LeftOut(remarks.join("; ")) }
}
