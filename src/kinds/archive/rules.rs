//! How due chunks are archived.

use crate::core::{LockMode, Version};
use crate::kinds::archive::{AFTER, ARCHIVED, DROP, TO};
use crate::kinds::archive_store;
use crate::kinds::{AttributeRule, How, LockOn, Needs, Rules, StepRule, Variant};

/// The oldest that is supported at all.
const OLDEST: Version = Version::new(2, 14);

/// Rows are read under no lock that keeps others out; a chunk is dropped under ACCESS EXCLUSIVE, which
/// is held for the length of a catalog change. Frozen, it refuses writes from the beginning on.
static RANGE: StepRule = StepRule {
    variants: &[
        Variant {
            needs: Needs::community(OLDEST),
            template: "archive/frozen.sql",
            lock: Some((LockMode::AccessExclusive, LockOn::EachChunk)),
            transactional: false,
            hazards: &[],
        },
        Variant {
            needs: Needs::timescaledb(OLDEST),
            template: "archive/counted.sql",
            lock: Some((LockMode::AccessExclusive, LockOn::EachChunk)),
            transactional: false,
            hazards: &[],
        },
    ],
};

const fn said(name: &'static str) -> AttributeRule {
    AttributeRule { name, how: How::OnlyAtCreation }
}

/// The table.
pub static RULES: Rules = Rules {
    create: &[],
    remove: &[],
    replace: None,
    attributes: &[
        said(TO),
        said(AFTER),
        said(DROP),
        said(archive_store::PATH),
        said(archive_store::S3),
        said(archive_store::COMPRESSION),
        said(archive_store::ROW_GROUP),
        AttributeRule { name: ARCHIVED, how: How::Alter(&RANGE) },
    ],
};
