//! How each attribute of a hypertable is changed.

use crate::core::{LockMode, Version};
use crate::diag::code;
use crate::kinds::{AttributeRule, How, LockOn, Needs, Rules, StepRule, Variant};

/// `by_range` and `by_hash` came with 2.13.
const ANY: Needs = Needs::timescaledb(super::OLDEST);

const fn step(template: &'static str, lock: Option<LockMode>) -> Variant {
    let lock = match lock {
        Some(mode) => Some((mode, LockOn::Relation)),
        None => None,
    };
    Variant { needs: ANY, template, lock, transactional: true, hazards: &[] }
}

static CREATE: StepRule = StepRule { variants: &[step("hypertable/create.sql", Some(LockMode::AccessExclusive))] };

/// Writes one catalog row and locks no table (`src/dimension.c`, and seen on 2.29.2).
static CHUNK_INTERVAL: StepRule = StepRule { variants: &[step("hypertable/chunk_interval.sql", None)] };

/// The lock is `add_dimension`'s; changing only a number takes none.
static PARTITIONS: StepRule =
    StepRule { variants: &[step("hypertable/partitions.sql", Some(LockMode::ShareUpdateExclusive))] };

static INTEGER_NOW: StepRule = StepRule { variants: &[step("hypertable/integer_now.sql", None)] };

/// From 2.17.1 on, the functions only work while a setting is on that is off by default. The lock
/// is `disable_chunk_skipping`'s; enabling takes the weaker ACCESS SHARE.
static CHUNK_SKIPPING: StepRule = StepRule {
    variants: &[
        Variant {
            needs: Needs::timescaledb(Version { major: 2, minor: 17, patch: 1 }),
            ..step("hypertable/chunk_skipping.sql", Some(LockMode::ShareUpdateExclusive))
        },
        step("hypertable/chunk_skipping_always_on.sql", Some(LockMode::ShareUpdateExclusive)),
    ],
};

/// The whole table.
pub static RULES: Rules = Rules {
    create: &[&CREATE, &PARTITIONS, &INTEGER_NOW, &CHUNK_SKIPPING],
    remove: &[],
    replace: None,
    attributes: &[
        AttributeRule {
            name: "time_column",
            how: How::Refuse {
                code: &code::CANNOT_CHANGE,
                why: "TimescaleDB cannot partition an existing hypertable by another column of time",
                help: "write the live column, or make a new hypertable and copy the rows into it",
            },
        },
        AttributeRule { name: "chunk_interval", how: How::Alter(&CHUNK_INTERVAL) },
        AttributeRule { name: "partitions", how: How::Alter(&PARTITIONS) },
        AttributeRule { name: "integer_now", how: How::Alter(&INTEGER_NOW) },
        AttributeRule { name: "chunk_skipping", how: How::Alter(&CHUNK_SKIPPING) },
        AttributeRule { name: "migrate_data", how: How::OnlyAtCreation },
        AttributeRule { name: "create_default_indexes", how: How::OnlyAtCreation },
    ],
};
