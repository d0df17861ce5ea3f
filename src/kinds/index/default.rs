//! The indexes that `create_hypertable` makes by itself, which are nobody's to manage. They are known by
//! their names and, where the table or a column was renamed since, by their definitions.

use std::collections::{BTreeMap, BTreeSet};

use super::names;
use super::observe::{as_key, stored_as};
use crate::core::{Address, Applied, Desired, KeyColumn, KindId, Live, QualifiedName, Value};
use crate::kinds::{Hypertable, Relation, Stored, View};

/// The fact of an index that is like one of them and has another name.
const LIKE_DEFAULT: &str = "like_default";

/// Whether the plan makes an index of that name with the hypertable that it makes of a table: the one on time, where the
/// table has none on time alone. One on hash partitions is not made, for those are added afterwards (seen on 2.23).
pub fn is_made_with_hypertable(name: &str, on: &QualifiedName, view: &View<'_>) -> bool {
    let wanted = view.desired.get(&Address::in_schema(KindId::new("hypertable"), on));
    let is_made = view.live_hypertable(on).is_none() && view.wants_hypertable(on);
    let Some(wanted) = wanted.filter(|_| is_made) else { return false };
    let Some(time) = wanted.get("time_column").and_then(Value::as_text) else { return false };
    let is_on_time = |live: &Live| {
        let keys = live.get("columns").map(Value::as_list).unwrap_or_default();
        live.on.as_ref() == Some(on)
            && matches!(keys, [only] if as_key(only).and_then(KeyColumn::column_name) == Some(time))
    };
    wanted.get("create_default_indexes") != Some(&Value::Bool(false))
        && !view.live.values().any(is_on_time)
        && name.ends_with("_idx")
        && names::is_chosen_by_server(name, &on.name, &[time])
}

/// Says of an index whether it is one of them, or might be one.
pub fn mark(live: &mut Live, relation: &Relation) {
    let Some(hypertable) = relation.hypertable.as_ref().filter(|_| !live.system) else { return };
    let Some(columns) = like_default(live, relation, hypertable) else { return };
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    if names::is_chosen_by_server(&live.address.name, &stored_as(relation).name, &columns) {
        live.system = true;
    } else {
        live.set_fact(LIKE_DEFAULT, true);
    }
}

/// Takes for one of them the oldest index that is like it, where none has its name: it keeps that when its
/// table is renamed. What the policies or the ledger name is somebody's own, and so are its further copies.
/// Where nothing is wanted at all, names alone count, so that `import` writes what there is.
pub fn identify(found: &mut [Live], desired: &BTreeMap<Address, Desired>, applied: &BTreeMap<Address, Applied>) {
    if !desired.is_empty() {
        mark_oldest(found, desired, applied);
    }
    // It has served, and says nothing of the index itself: who looks again may not know what decided it.
    for live in found {
        live.facts.remove(LIKE_DEFAULT);
    }
}

fn mark_oldest(found: &mut [Live], desired: &BTreeMap<Address, Desired>, applied: &BTreeMap<Address, Applied>) {
    // Where the policy says that none is to be made, one that only looks like it is somebody's own.
    for live in found.iter_mut().filter(|live| live.fact(LIKE_DEFAULT).is_some()) {
        let on = live.on.as_ref().map(|on| Address::in_schema(KindId::new("hypertable"), on));
        let hypertable = on.and_then(|address| desired.get(&address));
        if hypertable.is_some_and(|it| it.get("create_default_indexes") == Some(&Value::Bool(false))) {
            live.facts.remove(LIKE_DEFAULT);
        }
    }
    let shape = |live: &Live| Some((live.on.clone()?, live.get("columns")?.to_string()));
    let own = |live: &Live| desired.contains_key(&live.address) || applied.contains_key(&live.address);
    let mut there: BTreeSet<(QualifiedName, String)> =
        found.iter().filter(|live| live.system).filter_map(shape).collect();
    let mut like: Vec<&mut Live> =
        found.iter_mut().filter(|live| !live.system && live.fact(LIKE_DEFAULT).is_some() && !own(live)).collect();
    like.sort_by_key(|live| live.fact("oid").and_then(Value::as_int));
    for live in like {
        live.system = shape(live).is_some_and(|shape| there.insert(shape));
    }
}

/// The columns of an index that is on what `create_hypertable` makes one on: time, the newest first, and
/// where there are hash partitions one more on the first of those columns and time (seen on 2.19 to 2.29).
fn like_default(live: &Live, relation: &Relation, hypertable: &Hypertable) -> Option<Vec<String>> {
    let time = hypertable.time()?;
    let time_key = KeyColumn { descending: true, nulls_first: true, ..KeyColumn::column(&time.column) };
    let keys: Vec<&KeyColumn> =
        live.get("columns").map(Value::as_list).unwrap_or_default().iter().filter_map(as_key).collect();
    let right_keys = match keys.as_slice() {
        [only] => **only == time_key,
        [space, last] => {
            let partition = hypertable.dimensions.iter().find(|dimension| dimension.partitions.is_some());
            let of_partition = partition.is_some_and(|partition| **space == KeyColumn::column(&partition.column));
            // A continuous aggregate has one on each column of its GROUP BY.
            let of_group = relation.stored != Stored::Itself
                && space.column_name().is_some_and(|column| **space == KeyColumn::column(column));
            **last == time_key && (of_partition || of_group)
        }
        _ => false,
    };
    let plain = [("unique", Value::Bool(false)), ("where", Value::Null), ("include", Value::List(Vec::new()))];
    let is_default = right_keys
        && plain.iter().all(|(name, value)| live.get(name) == Some(value))
        && live.get("method").and_then(Value::as_text) == Some("btree");
    is_default.then(|| keys.iter().filter_map(|key| Some(key.column_name()?.to_owned())).collect())
}
