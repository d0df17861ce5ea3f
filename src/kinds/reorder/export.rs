//! A live reorder policy as its section.

use crate::core::{Interval, Live};
use crate::kinds::schedule::{self, Defaults};
use crate::kinds::{Entries, Export, View};

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live, view: &View<'_>) -> Export {
    let entries = Entries::default()
        .with_attribute(live, "index")
        .with_some("schedule", schedule::written(live, &defaults(live, view)));
    Export::section(live, view, "reorder", entries)
}

/// `policy_reorder_add` in `tsl/src/bgw_policy/reorder_api.c`, 2.14 to 2.29: half a chunk, and four
/// days where time is a whole number.
fn defaults(live: &Live, view: &View<'_>) -> Defaults {
    let time = live.on.as_ref().and_then(|on| view.live_hypertable(on)?.time());
    let half = time.and_then(|time| i64::try_from(time.interval?.approximate_micros() / 2).ok());
    Defaults {
        every: half.map_or(Interval::days(4), Interval::micros),
        max_runtime: Interval::micros(0),
        max_retries: -1,
        retry_period: Interval::micros(5 * 60_000_000),
    }
}
