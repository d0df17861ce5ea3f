//! Nothing is done to the database for a store.

use crate::kinds::archive_store::{COMPRESSION, KEEP, PATH, ROW_GROUP};
use crate::kinds::{AttributeRule, How, Rules};

const fn said(name: &'static str) -> AttributeRule {
    AttributeRule { name, how: How::OnlyAtCreation }
}

/// The table.
pub static RULES: Rules = Rules {
    create: &[],
    remove: &[],
    replace: None,
    attributes: &[said(PATH), said(COMPRESSION), said(ROW_GROUP), said(KEEP)],
};
