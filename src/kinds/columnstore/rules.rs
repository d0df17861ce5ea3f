//! How each attribute of a columnstore is changed.

use crate::core::{LockMode, Version};
use crate::kinds::{AttributeRule, How, LockOn, Needs, Rules, StepRule, Variant};

/// The oldest TimescaleDB that lets settings be changed when chunks are compressed already.
const OLDEST: Version = Version::new(2, 14);
/// From here on it is called columnstore; the older names still work on 2.29.
const RENAMED: Version = Version::new(2, 18);

const TABLE: Option<(LockMode, LockOn)> = Some((LockMode::AccessExclusive, LockOn::Relation));
/// Each chunk is locked EXCLUSIVE while it is written and ACCESS EXCLUSIVE at its end, and the
/// statement holds all of these locks until its last chunk is done (seen on 2.29.2).
const CHUNKS: Option<(LockMode, LockOn)> = Some((LockMode::AccessExclusive, LockOn::RelationAndChunks));

const fn variant(template: &'static str, lock: Option<(LockMode, LockOn)>) -> Variant {
    Variant { needs: Needs::community(RENAMED), template, lock, transactional: true, hazards: &[] }
}

const fn variant_of_any_version(template: &'static str, lock: Option<(LockMode, LockOn)>) -> Variant {
    Variant { needs: Needs::community(OLDEST), ..variant(template, lock) }
}

const fn older(template: &'static str, lock: Option<(LockMode, LockOn)>) -> Variant {
    let needs = Needs::community(OLDEST).before(RENAMED);
    Variant { needs, template, lock, transactional: true, hazards: &[] }
}

/// Takes SHARE UPDATE EXCLUSIVE (seen on 2.22 and 2.28). It comes before other settings are made, which
/// may have a part for the columns that it sets free.
static RESET: StepRule = StepRule {
    variants: &[variant_of_any_version(
        "columnstore/reset.sql",
        Some((LockMode::ShareUpdateExclusive, LockOn::Relation)),
    )],
};
static SETTINGS: StepRule = StepRule {
    variants: &[variant("columnstore/settings.sql", TABLE), older("columnstore/settings_before_2_18.sql", TABLE)],
};
static POLICY: StepRule = StepRule {
    variants: &[variant("columnstore/policy.sql", None), older("columnstore/policy_before_2_18.sql", None)],
};
static TUNE: StepRule = StepRule { variants: &[variant_of_any_version("columnstore/tune.sql", None)] };
static REMOVE_POLICY: StepRule = StepRule {
    variants: &[
        variant("columnstore/remove_policy.sql", None),
        older("columnstore/remove_policy_before_2_18.sql", None),
    ],
};
static TO_ROWSTORE: StepRule = StepRule { variants: &[variant_of_any_version("columnstore/to_rowstore.sql", CHUNKS)] };
static DISABLE: StepRule = StepRule {
    variants: &[variant("columnstore/disable.sql", TABLE), older("columnstore/disable_before_2_18.sql", TABLE)],
};

const fn altered(name: &'static str, step: &'static StepRule) -> AttributeRule {
    AttributeRule { name, how: How::Alter(step) }
}

/// The table. A change to the settings is in place, for chunks converted from then on.
pub static RULES: Rules = Rules {
    create: &[&RESET, &SETTINGS, &POLICY, &TUNE],
    remove: &[&REMOVE_POLICY, &TO_ROWSTORE, &DISABLE],
    replace: None,
    attributes: &[
        altered("enabled", &SETTINGS),
        AttributeRule { name: "segment_by", how: How::AlterBy(&[&RESET, &SETTINGS]) },
        AttributeRule { name: "order_by", how: How::AlterBy(&[&RESET, &SETTINGS]) },
        AttributeRule { name: "sparse_index", how: How::AlterBy(&[&RESET, &SETTINGS]) },
        altered("after", &POLICY),
        altered("created_before", &POLICY),
        altered("schedule.every", &POLICY),
        altered("schedule.initial_start", &POLICY),
        altered("schedule.timezone", &POLICY),
        altered("schedule.max_runtime", &TUNE),
        altered("schedule.max_retries", &TUNE),
        altered("schedule.retry_period", &TUNE),
        altered("schedule.paused", &TUNE),
    ],
};
