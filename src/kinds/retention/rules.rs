//! How each attribute of a retention policy is changed.
//!
//! Every statement only touches the catalog of jobs. Locks on the data come later, when the job
//! runs: `drop_chunks` then takes ACCESS EXCLUSIVE on each chunk and on every table that it has a
//! foreign key to.

use crate::core::Version;
use crate::kinds::{AttributeRule, How, Needs, Rules, StepRule, Variant};

/// The oldest TimescaleDB whose job functions these templates know.
const OLDEST: Version = Version::new(2, 14);

const fn of_catalog(template: &'static str) -> Variant {
    Variant { needs: Needs::community(OLDEST), template, lock: None, transactional: true, hazards: &[] }
}

static ADD: StepRule = StepRule { variants: &[of_catalog("retention/create.sql")] };
static TUNE: StepRule = StepRule { variants: &[of_catalog("retention/tune.sql")] };
static ALTER: StepRule = StepRule { variants: &[of_catalog("retention/alter.sql")] };
static REMOVE: StepRule = StepRule { variants: &[of_catalog("retention/remove.sql")] };

const fn altered(name: &'static str) -> AttributeRule {
    AttributeRule { name, how: How::Alter(&ALTER) }
}

/// The table.
pub static RULES: Rules = Rules {
    create: &[&ADD, &TUNE],
    remove: &[&REMOVE],
    replace: None,
    attributes: &[
        altered("drop_after"),
        altered("drop_created_before"),
        altered("schedule.every"),
        altered("schedule.initial_start"),
        altered("schedule.timezone"),
        altered("schedule.max_runtime"),
        altered("schedule.max_retries"),
        altered("schedule.retry_period"),
        altered("schedule.paused"),
    ],
};
