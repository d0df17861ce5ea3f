//! Every kind, in the order in which a plan creates them. Adding a kind is a folder and a line here.

use crate::core::KindId;
use crate::kinds::Kind;

static KINDS: &[&dyn Kind] = &[&super::index::Index, &super::storage::Storage];

/// Every kind, in the order of creation; removal goes the other way.
pub fn all() -> &'static [&'static dyn Kind] {
    KINDS
}

/// The kind of an id.
pub fn by_id(id: &KindId) -> Option<&'static dyn Kind> {
    KINDS.iter().copied().find(|kind| kind.id() == *id)
}
