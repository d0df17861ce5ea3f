//! How each attribute of a continuous aggregate is changed.

use crate::core::{LockMode, Version};
use crate::kinds::{AttributeRule, How, LockOn, Needs, Rules, StepRule, Variant};

/// The oldest TimescaleDB that these templates know.
const OLDEST: Version = Version::new(2, 14);

const fn within(template: &'static str, lock: Option<(LockMode, LockOn)>) -> Variant {
    Variant { needs: Needs::community(OLDEST), template, lock, transactional: true, hazards: &[] }
}

const fn outside(template: &'static str) -> Variant {
    Variant { transactional: false, ..within(template, None) }
}

/// From here on no trigger tells what changed, and making an aggregate locks nothing that others would
/// wait for (seen on 2.24 and 2.28).
const WITHOUT_TRIGGERS: Version = Version::new(2, 24);

/// Before, making one puts a trigger on the hypertable that it reads and on each of its chunks, under
/// SHARE ROW EXCLUSIVE (seen on 2.14, 2.18 and 2.22).
static CREATE: StepRule = StepRule {
    variants: &[
        Variant { needs: Needs::community(WITHOUT_TRIGGERS), ..within("continuous_aggregate/create.sql", None) },
        within("continuous_aggregate/create.sql", Some((LockMode::ShareRowExclusive, LockOn::WhatItReads))),
    ],
};

/// Writes one catalog row and locks no table.
static CHUNK_INTERVAL: StepRule = StepRule { variants: &[within("continuous_aggregate/chunk_interval.sql", None)] };

/// The refresh commits by itself, batch by batch, and blocks neither readers nor writers.
static FILL: StepRule = StepRule { variants: &[outside("continuous_aggregate/fill.sql")] };
static FILL_REST: StepRule = StepRule { variants: &[outside(FILL_A_REST)] };
static FILL_AGAIN: StepRule = StepRule { variants: &[outside("continuous_aggregate/fill_again.sql")] };

/// The view is written anew.
static MATERIALIZED_ONLY: StepRule = StepRule {
    variants: &[within(
        "continuous_aggregate/materialized_only.sql",
        Some((LockMode::AccessExclusive, LockOn::Relation)),
    )],
};

/// Takes ACCESS EXCLUSIVE on the hypertable that it reads too (seen on 2.14 and 2.28).
static DROP: StepRule = StepRule {
    variants: &[within("continuous_aggregate/drop.sql", Some((LockMode::AccessExclusive, LockOn::WhatItReads)))],
};

/// Those that read it, in the same transaction, are made again by actions of their own.
static DROP_READERS: StepRule =
    StepRule { variants: &[within(DROP_READER, Some((LockMode::AccessExclusive, LockOn::Relation)))] };

/// Made once for each of them.
pub const DROP_READER: &str = "continuous_aggregate/drop_reader.sql";

/// Whom it belonged to, and what was granted on it by hand, while nobody can see it yet.
static OWNER: StepRule = StepRule { variants: &[within("continuous_aggregate/owner.sql", None)] };
static GRANTS: StepRule = StepRule { variants: &[within(GRANT_AGAIN, None)] };

/// Made once for what is before the rows that it keeps, and once for what is after.
pub const FILL_A_REST: &str = "continuous_aggregate/fill_rest.sql";

/// Made once for each role.
pub const GRANT_AGAIN: &str = "continuous_aggregate/grant_again.sql";

/// The whole table. Never with CASCADE: what else reads it stops the plan.
pub static RULES: Rules = Rules {
    create: &[&CREATE, &OWNER, &GRANTS, &CHUNK_INTERVAL, &FILL],
    remove: &[&DROP],
    replace: Some(&[&DROP_READERS, &DROP, &CREATE, &OWNER, &GRANTS, &CHUNK_INTERVAL, &FILL_AGAIN]),
    attributes: &[
        AttributeRule { name: "query", how: How::Replace },
        AttributeRule { name: "materialized_only", how: How::Alter(&MATERIALIZED_ONLY) },
        AttributeRule { name: "chunk_interval", how: How::Alter(&CHUNK_INTERVAL) },
        AttributeRule { name: "with_data", how: How::Alter(&FILL_REST) },
        AttributeRule { name: "create_group_indexes", how: How::OnlyAtCreation },
    ],
};
