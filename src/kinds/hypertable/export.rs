//! A live hypertable as its section.

use crate::core::{Interval, KindId, Live, Value};
use crate::kinds::{Entries, Export, Hypertable, View};

/// What a chunk holds by default, where time is no whole number (`src/dimension.h`, 2.13 to 2.29).
const DEFAULT_CHUNK: Interval = Interval::days(7);

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live, view: &View<'_>) -> Export {
    let hypertable = live.on.as_ref().and_then(|on| view.live_hypertable(on));
    let chosen = |attribute: &str| live.get(attribute).filter(|value| !value.as_list().is_empty());
    let interval = live.get("chunk_interval").filter(|value| **value != Value::Interval(DEFAULT_CHUNK));
    let entries = Entries::default()
        .with_attribute(live, "time_column")
        .with_some("chunk_interval", interval.map(Value::to_json))
        .with_attribute(live, "integer_now")
        .with_some("partitions", chosen("partitions").map(Value::to_json))
        .with_some("create_default_indexes", has_lost_default_index(live, view).then_some(false))
        .with_some("chunk_skipping", chosen("chunk_skipping").map(Value::to_json));
    Export::section(live, view, "hypertable", entries).but(hypertable.into_iter().flat_map(more_time))
}

/// Whether a copy would get TimescaleDB's own index on time, which this one does not have. None is
/// made beside a constraint on time alone (`ts_indexing_create_default_indexes`, `src/indexing.c`).
fn has_lost_default_index(live: &Live, view: &View<'_>) -> bool {
    let Some(time) = live.get("time_column").and_then(Value::as_text) else { return false };
    let own = view.live.values().filter(|index| index.address.kind == KindId::new("index") && index.on == live.on);
    let on_time = |index: &&Live| match index.get("columns").map(Value::as_list) {
        Some([Value::Key(only)]) => index.system && only.column_name() == Some(time),
        _ => false,
    };
    !own.into_iter().any(|index| on_time(&index))
}

/// Dimensions of time beyond the first.
fn more_time(hypertable: &Hypertable) -> impl Iterator<Item = String> + '_ {
    let further = hypertable.dimensions.iter().skip(1).filter(|dimension| dimension.partitions.is_none());
    further.map(|dimension| format!("the further dimension of time by `{}`", dimension.column))
}
