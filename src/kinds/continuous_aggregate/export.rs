//! A live continuous aggregate as the head of its document.

use super::fill;
use super::observe::SOURCE_INTERVAL;
use crate::core::select::Select;
use crate::core::{Address, KindId, Live, Value};
use crate::kinds::{Entries, Export, View};

/// TimescaleDB gives an aggregate chunks ten times as long as those of the hypertable that it reads, and
/// as long as those of an aggregate (`tsl/src/continuous_aggs/create.c`; seen on 2.14 and 2.28).
const CHUNKS: i64 = 10;

/// See [`crate::kinds::Kind::export`].
pub fn export(live: &Live, view: &View<'_>) -> Export {
    if live.fact("finalized") == Some(&Value::Bool(false)) {
        let message = "it has the form of before TimescaleDB 2.7 (`finalized = false`): bring it to the new one with `CALL cagg_migrate(…)`";
        return Export::LeftOut(message.to_owned());
    }
    let realtime = (live.get("materialized_only") == Some(&Value::Bool(false))).then_some(false);
    let entries = Entries::default().with_attribute(live, "query").with_some("materialized_only", realtime);
    let entries =
        if is_default_interval(live, view) { entries } else { entries.with_attribute(live, "chunk_interval") };
    let without = has_no_group_index(live, view).then_some(false);
    let entries = entries.with_some("create_group_indexes", without);
    let unfinished = fill::is_unfinished(live)
        .then(|| "filling it was begun by Chronoform and not completed: the next `apply` goes on with it".to_owned());
    Export::section(live, view, "", entries).but(unfinished)
}

/// Whether it has none of the indexes that TimescaleDB makes by itself: one on each column of GROUP BY that is in the
/// list, and the bucket (`mattablecolumninfo_create_materialization_table`, `tsl/src/continuous_aggs/create.c`; seen on
/// 2.28).
pub fn has_no_group_index(live: &Live, view: &View<'_>) -> bool {
    let Some(select) = super::query(live.get("query")).and_then(|query| Select::split(query).ok()) else {
        return false;
    };
    // The bucket is one of them.
    if select.groups_listed() < 2 {
        return false;
    }
    let of_group =
        |index: &Live| index.system && index.get("columns").map(Value::as_list).unwrap_or_default().len() == 2;
    let own = |index: &&Live| index.address.kind == KindId::new("index") && index.on == live.on;
    !view.live.values().filter(own).any(of_group)
}

/// Whether the chunks have the length that the server would give them: by that of what the aggregate reads, as it is
/// once the plan is applied. That goes first, so that a look in between finds the same.
pub fn is_default_interval(live: &Live, view: &View<'_>) -> bool {
    let Some(Value::Name(source)) = live.fact("source") else { return false };
    let (times, kind) = match live.fact("parent") {
        Some(_) => (1, super::ID),
        None => (CHUNKS, KindId::new("hypertable")),
    };
    let wanted = view.desired.get(&Address::in_schema(kind, source)).and_then(|desired| desired.get("chunk_interval"));
    match (live.get("chunk_interval"), wanted, live.fact(SOURCE_INTERVAL)) {
        (Some(Value::Interval(have)), Some(Value::Interval(source)), _)
        | (Some(Value::Interval(have)), _, Some(Value::Interval(source))) => {
            i128::from(times) * source.approximate_micros() == have.approximate_micros()
        }
        (Some(Value::Int(have)), Some(Value::Int(source)), _)
        | (Some(Value::Int(have)), _, Some(Value::Int(source))) => source.checked_mul(times) == Some(*have),
        _ => false,
    }
}
