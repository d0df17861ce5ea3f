//! How storage parameters are set and reset. On a hypertable it happens to the table and to all of
//! its chunks, in one transaction (`process_altertable_end_subcmd` in `src/process_utility.c`).

use crate::core::LockMode;
use crate::kinds::storage::GENTLE;
use crate::kinds::{AttributeRule, How, LockOn, Needs, Rules, StepRule, Target, Variant};

const fn variant(needs: Needs, mode: LockMode) -> Variant {
    let on = match needs.target {
        Target::Hypertable => LockOn::RelationAndChunks,
        Target::Any | Target::Plain => LockOn::Relation,
    };
    Variant { needs, template: "storage/alter.sql", lock: Some((mode, on)), transactional: true, hazards: &[] }
}

/// Which lock a parameter needs is `AlterTableGetRelOptionsLockLevel`'s to say; of one that is not
/// known, the strongest.
static ALTER: StepRule = StepRule {
    variants: &[
        variant(Needs::when(GENTLE).on(Target::Hypertable), LockMode::ShareUpdateExclusive),
        variant(Needs::when(GENTLE), LockMode::ShareUpdateExclusive),
        variant(Needs::ANY.on(Target::Hypertable), LockMode::AccessExclusive),
        variant(Needs::ANY, LockMode::AccessExclusive),
    ],
};

/// The whole table.
pub static RULES: Rules = Rules {
    create: &[&ALTER],
    remove: &[&ALTER],
    replace: None,
    attributes: &[AttributeRule { name: "*", how: How::Alter(&ALTER) }],
};
