//! A live columnstore as its section.

use serde_json::Value as Json;

use crate::core::{Interval, Live, Value};
use crate::kinds::columnstore::settings;
use crate::kinds::schedule::{self, Defaults};
use crate::kinds::{Entries, Export, View, key};

/// The longest time between two runs that TimescaleDB chooses by itself.
const LONGEST: Interval = Interval::micros(12 * 3_600_000_000);

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live, view: &View<'_>) -> Export {
    if live.get("enabled") == Some(&Value::Bool(false)) {
        let message = "a columnstore policy's job is left of a columnstore that is not enabled any more";
        return Export::LeftOut(message.to_owned());
    }
    let order_by = live.get("order_by").map(Value::as_list).unwrap_or_default();
    let order_by: Vec<Json> = order_by.iter().filter_map(as_written).collect();
    let has_job = live.fact("job_id").is_some();
    let entries = Entries::default()
        .with_attribute(live, "after")
        .with_attribute(live, "created_before")
        .with_some("segment_by", chosen(live, "segment_by"))
        .with_some("order_by", (!order_by.is_empty()).then_some(order_by))
        .with_some("sparse_index", chosen(live, "sparse_index"))
        .with_some("schedule", has_job.then(|| schedule::written(live, &defaults(live, view))).flatten());
    Export::section(live, view, "columnstore", entries)
}

fn as_written(value: &Value) -> Option<Json> {
    match value {
        Value::Key(column) => Some(key::written(column)),
        _ => None,
    }
}

/// `policy_compression_add_internal` in `tsl/src/bgw_policy/compression_api.c`: half a chunk, and from
/// 2.14 on at most 12 hours. A schedule that an older server chose is written out, which does no harm.
fn defaults(live: &Live, view: &View<'_>) -> Defaults {
    let time = live.on.as_ref().and_then(|on| view.live_hypertable(on)?.time());
    let half = time.and_then(|time| i64::try_from(time.interval?.approximate_micros() / 2).ok());
    let every = half.map(Interval::micros).filter(|half| half.micros < LONGEST.micros);
    Defaults {
        every: every.unwrap_or(LONGEST),
        max_runtime: Interval::default(),
        max_retries: -1,
        retry_period: Interval::micros(3_600_000_000),
    }
}

/// A setting that somebody made.
fn chosen(live: &Live, setting: &str) -> Option<Json> {
    live.get(setting).filter(|value| !settings::is_auto(value)).map(Value::to_json)
}
