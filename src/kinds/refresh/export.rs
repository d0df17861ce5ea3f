//! A live refresh policy as its item.

use serde_json::{Map, Value as Json};

use crate::core::{Interval, Live, Value};
use crate::kinds::schedule::{self, Defaults};
use crate::kinds::{Entries, Export, View};

/// `policy_refresh_cagg_add_internal` in `tsl/src/bgw_policy/continuous_aggregate_api.c`, 2.14 to 2.28.
/// How often it runs has no default, and what is tried again is tried when it would run anyway.
const DEFAULTS: Defaults = Defaults {
    every: Interval::micros(0),
    max_runtime: Interval::micros(0),
    max_retries: -1,
    retry_period: Interval::micros(0),
};

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live, view: &View<'_>) -> Export {
    let Some(on) = &live.on else { return Export::Unable };
    let label = live.address.name.strip_prefix(&format!("{}:", on.name));
    let newest = live.get("refresh_newest_first").filter(|value| **value == Value::Bool(false));
    let mut schedule: Map<String, Json> = match schedule::written(live, &DEFAULTS) {
        Some(Json::Object(entries)) => entries,
        _ => Map::new(),
    };
    if live.get("schedule.retry_period") == live.get("schedule.every") {
        schedule.shift_remove("retry_period");
    }
    let entries = Entries::default()
        .with_some("name", label)
        .with_attribute(live, "start_offset")
        .with_attribute(live, "end_offset")
        .with("schedule", Json::Object(schedule))
        .with_attribute(live, "buckets_per_batch")
        .with_attribute(live, "max_batches_per_execution")
        .with_some("refresh_newest_first", newest.map(Value::to_json));
    Export::section(live, view, "refresh", entries)
}
