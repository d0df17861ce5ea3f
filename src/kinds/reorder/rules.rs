//! How each attribute of a reorder policy is changed.
//!
//! Every statement only touches the catalog of jobs. Locks on the data come later, when the job runs:
//! it takes EXCLUSIVE on the chunk that it writes anew, and ACCESS EXCLUSIVE to put the new one in the
//! old one's place.

use crate::core::Version;
use crate::kinds::{AttributeRule, How, Needs, Rules, StepRule, Variant};

/// The oldest TimescaleDB whose job functions these templates know.
const OLDEST: Version = Version::new(2, 14);

const fn of_catalog(template: &'static str) -> Variant {
    Variant { needs: Needs::community(OLDEST), template, lock: None, transactional: true, hazards: &[] }
}

static ADD: StepRule = StepRule { variants: &[of_catalog("reorder/create.sql")] };
static TUNE: StepRule = StepRule { variants: &[of_catalog("reorder/tune.sql")] };
static ALTER: StepRule = StepRule { variants: &[of_catalog("reorder/alter.sql")] };
static REMOVE: StepRule = StepRule { variants: &[of_catalog("reorder/remove.sql")] };

const fn altered(name: &'static str) -> AttributeRule {
    AttributeRule { name, how: How::Alter(&ALTER) }
}

/// The table.
pub static RULES: Rules = Rules {
    create: &[&ADD, &TUNE],
    remove: &[&REMOVE],
    replace: None,
    attributes: &[
        altered("index"),
        altered("schedule.every"),
        altered("schedule.initial_start"),
        altered("schedule.timezone"),
        altered("schedule.max_runtime"),
        altered("schedule.max_retries"),
        altered("schedule.retry_period"),
        altered("schedule.paused"),
    ],
};
