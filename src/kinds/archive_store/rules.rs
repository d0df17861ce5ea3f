//! Nothing is done to the database for a store; what has expired leaves it.

use crate::core::Hazard;
use crate::kinds::archive_store::{COMPRESSION, ENCRYPTION, FORMER_KEYS, HELD, KEEP, PATH, ROW_GROUP, S3, STATE};
use crate::kinds::{AttributeRule, How, Needs, Rules, StepRule, Variant};

static EXPIRE: StepRule = StepRule {
    variants: &[Variant {
        needs: Needs::ANY,
        template: "archive_store/expire.sql",
        lock: None,
        transactional: false,
        hazards: &[Hazard::DeletesData],
    }],
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
        said(PATH),
        said(S3),
        said(ENCRYPTION),
        said(FORMER_KEYS),
        said(COMPRESSION),
        said(ROW_GROUP),
        said(KEEP),
        said(HELD),
        AttributeRule { name: STATE, how: How::Alter(&EXPIRE) },
    ],
};
