//! A live retention policy as its section.

use crate::core::{Interval, Live};
use crate::kinds::schedule::{self, Defaults};
use crate::kinds::{Entries, Export, View};

/// `policy_retention_add_internal` in `tsl/src/bgw_policy/retention_api.c`, 2.13 to 2.29.
const DEFAULTS: Defaults = Defaults {
    every: Interval::days(1),
    max_runtime: Interval::micros(5 * 60_000_000),
    max_retries: -1,
    retry_period: Interval::micros(5 * 60_000_000),
};

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live, view: &View<'_>) -> Export {
    let entries = Entries::default()
        .with_attribute(live, "drop_after")
        .with_attribute(live, "drop_created_before")
        .with_some("schedule", schedule::written(live, &DEFAULTS));
    Export::section(live, view, "retention", entries)
}
