//! How each attribute of a user-defined action is changed. Every statement only touches the catalog
//! of jobs; what the procedure itself locks when it runs, nobody but its author knows.

use crate::core::Version;
use crate::kinds::{AttributeRule, How, Needs, Rules, StepRule, Variant};

/// The oldest TimescaleDB whose job functions these templates know.
const OLDEST: Version = Version::new(2, 14);

const fn of_catalog(template: &'static str) -> Variant {
    Variant { needs: Needs::community(OLDEST), template, lock: None, transactional: true, hazards: &[] }
}

static ADD: StepRule = StepRule { variants: &[of_catalog("job/create.sql")] };
static ALTER: StepRule = StepRule { variants: &[of_catalog("job/alter.sql")] };
static REMOVE: StepRule = StepRule { variants: &[of_catalog("job/remove.sql")] };

const fn altered(name: &'static str) -> AttributeRule {
    AttributeRule { name, how: How::Alter(&ALTER) }
}

/// The table.
pub static RULES: Rules = Rules {
    create: &[&ADD],
    remove: &[&REMOVE],
    replace: None,
    attributes: &[
        // `alter_job` has no argument for it.
        AttributeRule { name: "procedure", how: How::Replace },
        altered("job_name"),
        altered("config"),
        altered("check_config"),
        altered("schedule.every"),
        altered("schedule.fixed"),
        altered("schedule.initial_start"),
        altered("schedule.timezone"),
        altered("schedule.max_runtime"),
        altered("schedule.max_retries"),
        altered("schedule.retry_period"),
        altered("schedule.paused"),
    ],
};
