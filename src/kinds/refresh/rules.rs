//! How each attribute of a refresh policy is changed. Every statement only touches the catalog of jobs.

use crate::core::Version;
use crate::kinds::{AttributeRule, How, Needs, Rules, StepRule, Variant};

/// The oldest TimescaleDB whose job functions these templates know.
const OLDEST: Version = Version::new(2, 14);

const fn of_catalog(template: &'static str) -> Variant {
    Variant { needs: Needs::community(OLDEST), template, lock: None, transactional: true, hazards: &[] }
}

static ADD: StepRule = StepRule { variants: &[of_catalog("refresh/create.sql")] };
/// The jobs whose windows are in the way of this one, and that wait for it themselves.
static CLEAR: StepRule = StepRule { variants: &[of_catalog("refresh/clear.sql")] };
static ALTER: StepRule = StepRule {
    variants: &[
        Variant {
            needs: Needs { when: Some(CLEARED), ..Needs::community(OLDEST) },
            ..of_catalog("refresh/create.sql")
        },
        of_catalog("refresh/alter.sql"),
    ],
};
static REMOVE: StepRule = StepRule { variants: &[of_catalog("refresh/remove.sql")] };

/// The condition that another policy took its job away before.
pub const CLEARED: &str = "cleared";

static MOVE: &[&StepRule] = &[&CLEAR, &ALTER];

const fn altered(name: &'static str) -> AttributeRule {
    AttributeRule { name, how: How::AlterBy(MOVE) }
}

/// The table.
pub static RULES: Rules = Rules {
    create: &[&ADD],
    remove: &[&REMOVE],
    replace: None,
    attributes: &[
        altered("start_offset"),
        altered("end_offset"),
        altered("buckets_per_batch"),
        altered("max_batches_per_execution"),
        altered("refresh_newest_first"),
        altered("schedule.every"),
        altered("schedule.initial_start"),
        altered("schedule.timezone"),
        altered("schedule.max_runtime"),
        altered("schedule.max_retries"),
        altered("schedule.retry_period"),
        altered("schedule.paused"),
    ],
};
