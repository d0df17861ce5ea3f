//! How each attribute of a continuous aggregate is changed.

use super::fill;
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
static MAKE: StepRule = StepRule {
    variants: &[
        Variant { needs: Needs::community(WITHOUT_TRIGGERS), ..within(CREATE, None) },
        within(CREATE, Some((LockMode::ShareRowExclusive, LockOn::WhatItReads))),
    ],
};

/// What these read was made by the same transaction, and nobody else knows it yet.
static READERS: StepRule = StepRule { variants: &[within(CREATE_READER, None)] };

/// Made once for the aggregate itself, and once for each that goes with it.
pub const CREATE: &str = "continuous_aggregate/create.sql";
pub const CREATE_READER: &str = "continuous_aggregate/create_reader.sql";

/// Writes one catalog row and locks no table.
static INTERVAL: StepRule = StepRule { variants: &[within(CHUNK_INTERVAL, None)] };

/// Made once for each that is made.
pub const CHUNK_INTERVAL: &str = "continuous_aggregate/chunk_interval.sql";

/// The refresh commits by itself, batch by batch, and blocks neither readers nor writers.
static FILL: StepRule = StepRule { variants: &[outside("continuous_aggregate/fill.sql")] };
static FILL_REST: StepRule = StepRule { variants: &[outside(FILL_A_REST)] };
static GO_ON: StepRule = StepRule { variants: &[outside(FILL_UNFINISHED)] };

/// The mark that a fill is due goes in with the aggregate, and away once it is filled.
static BEGIN: StepRule = StepRule { variants: &[within(BEGIN_FILL, None)] };
static END: StepRule = StepRule { variants: &[within(END_FILL, None)] };
static END_ALSO: StepRule = StepRule { variants: &[within(END_FILL, None)] };

/// Made once for each that is to be filled.
pub const BEGIN_FILL: &str = "continuous_aggregate/begin_fill.sql";

/// Made once, where something was filled that had the mark.
pub const END_FILL: &str = "continuous_aggregate/end_fill.sql";

/// Made once for each range.
pub const FILL_UNFINISHED: &str = "continuous_aggregate/fill_unfinished.sql";

/// The view is written anew.
static MATERIALIZED_ONLY: StepRule = StepRule {
    variants: &[within(
        "continuous_aggregate/materialized_only.sql",
        Some((LockMode::AccessExclusive, LockOn::Relation)),
    )],
};

/// Chunks go before what they are of, in the same transaction.
static EMPTY: StepRule =
    StepRule { variants: &[within(DROP_CHUNKS, Some((LockMode::AccessExclusive, LockOn::Relation)))] };

/// Made once for each that goes and has chunks in the columnstore.
pub const DROP_CHUNKS: &str = "continuous_aggregate/empty.sql";

/// Takes ACCESS EXCLUSIVE on the hypertable that it reads too (seen on 2.14 and 2.28).
static DROP: StepRule = StepRule {
    variants: &[within(
        "continuous_aggregate/drop.sql",
        Some((LockMode::AccessExclusive, LockOn::RelationAndWhatItReads)),
    )],
};

/// Those that read it, in the same transaction. What each reads goes too, and is locked by that.
static DROP_READERS: StepRule =
    StepRule { variants: &[within(DROP_READER, Some((LockMode::AccessExclusive, LockOn::EachItem)))] };

/// Made once for each of them.
pub const DROP_READER: &str = "continuous_aggregate/drop_reader.sql";

/// Whom it belonged to, what was granted on it by hand, and what was said of it, while nobody can see it yet.
static OWNERS: StepRule = StepRule { variants: &[within(OWNER, None)] };
static REVOKES: StepRule = StepRule { variants: &[within(REVOKE_DEFAULT, None)] };
static GRANTS: StepRule = StepRule { variants: &[within(GRANT_AGAIN, None)] };
static COMMENTS: StepRule = StepRule { variants: &[within(COMMENT_AGAIN, None)] };

/// Made once for each that belongs to somebody else.
pub const OWNER: &str = "continuous_aggregate/owner.sql";

/// Made once for each comment.
pub const COMMENT_AGAIN: &str = "continuous_aggregate/comment_again.sql";

/// Made once for what is before the rows that it keeps, and once for what is after.
pub const FILL_A_REST: &str = "continuous_aggregate/fill_rest.sql";

/// Made once for each role that has something by default, and for an owner that lacks something.
pub const REVOKE_DEFAULT: &str = "continuous_aggregate/revoke_default.sql";

/// Made once for each role.
pub const GRANT_AGAIN: &str = "continuous_aggregate/grant_again.sql";

/// The whole table. Never with CASCADE: what else reads it stops the plan.
pub static RULES: Rules = Rules {
    create: &[&MAKE, &OWNERS, &REVOKES, &GRANTS, &COMMENTS, &INTERVAL, &BEGIN, &FILL, &END],
    remove: &[&EMPTY, &DROP],
    replace: Some(&[
        &EMPTY,
        &DROP_READERS,
        &DROP,
        &MAKE,
        &READERS,
        &OWNERS,
        &REVOKES,
        &GRANTS,
        &COMMENTS,
        &INTERVAL,
        &BEGIN,
        &FILL,
        &END,
    ]),
    attributes: &[
        AttributeRule { name: "query", how: How::Replace },
        AttributeRule { name: "materialized_only", how: How::Alter(&MATERIALIZED_ONLY) },
        AttributeRule { name: "chunk_interval", how: How::Alter(&INTERVAL) },
        AttributeRule { name: "with_data", how: How::Alter(&FILL_REST) },
        AttributeRule { name: fill::ATTRIBUTE, how: How::AlterBy(&[&GO_ON, &END_ALSO]) },
        AttributeRule { name: "create_group_indexes", how: How::OnlyAtCreation },
    ],
};
