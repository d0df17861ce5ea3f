//! In which way an index is built and swapped: what only the table at hand can tell. The rules name
//! these conditions; here they are decided.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::core::{Address, Delta, KeyColumn, KindId, Live, LockMode, QualifiedName, Reason, Row, Value};
use crate::kinds::index::observe::{as_key, is_left_over};
use crate::kinds::index::settle::DEFINITION;
use crate::kinds::index::{moved, names, weigh};
use crate::kinds::reloption::{self, Owner};
use crate::kinds::{Relation, RelationKind, Stored, View, continuous_aggregate};

/// A plain table, on a server with other sessions to be considerate of: `CONCURRENTLY`. The embedded
/// server has none, and refuses it (`tuple concurrently updated`, seen on 2.23.0-dev).
pub const CONCURRENTLY: &str = "concurrently";
/// A hypertable with chunks worth a transaction each, on a server where others can use the time in
/// between, and an index that may be built so.
pub const PER_CHUNK: &str = "per_chunk";
/// Over before anybody would notice.
pub const BRIEF: &str = "brief";
/// The same, to be swapped in afterwards.
pub const BRIEF_THEN_SWAP: &str = "brief_then_swap";
/// Neither, to be swapped in afterwards.
pub const WHOLE_THEN_SWAP: &str = "whole_then_swap";
/// Only parameters change whose lock lets reads and writes by.
pub const GENTLE: &str = "gentle";

/// Every condition that the rules may name.
#[cfg(test)]
pub const ALL: [&str; 6] = [CONCURRENTLY, PER_CHUNK, BRIEF, BRIEF_THEN_SWAP, WHOLE_THEN_SWAP, GENTLE];

/// What is read and indexed in well under a second: below this, holding writes up costs less than
/// the care of not doing so.
const BRIEF_BYTES: i64 = 8 << 20;

pub fn holds(condition: &str, delta: &Delta, weights: &[Row], view: &View<'_>) -> bool {
    match condition {
        CONCURRENTLY => is_plain(delta, view) && !view.server.single_session,
        PER_CHUNK => !is_brief(delta, weights, view) && can_go_by_chunk(delta, view),
        BRIEF => is_brief(delta, weights, view),
        BRIEF_THEN_SWAP => is_brief(delta, weights, view) && !drops_first(delta, view),
        WHOLE_THEN_SWAP => !drops_first(delta, view),
        GENTLE => is_gentle(delta),
        _ => false,
    }
}

fn relation<'a>(delta: &Delta, view: &View<'a>) -> Option<&'a Relation> {
    view.relations.get(delta.on.as_ref()?)
}

fn is_partitioned(relation: &Relation) -> bool {
    relation.kind == RelationKind::PartitionedTable
}

/// Whether building on a relation builds on the relations below it as well.
pub fn reaches_children(relation: &Relation, view: &View<'_>) -> bool {
    is_partitioned(relation) || view.is_hypertable(&relation.name)
}

fn is_plain(delta: &Delta, view: &View<'_>) -> bool {
    relation(delta, view).is_some_and(|relation| !reaches_children(relation, view))
}

/// `transaction_per_chunk` is for hypertables and not for unique indexes
/// (`process_index_start` in `src/process_utility.c`).
fn can_go_by_chunk(delta: &Delta, view: &View<'_>) -> bool {
    let hypertable = delta.on.as_ref().is_some_and(|on| view.is_hypertable(on));
    let unique = delta.desired.as_ref().and_then(|desired| desired.get("unique"));
    hypertable && unique == Some(&Value::Bool(false))
}

/// Little is stored, or there is no other session that could have to wait: then one transaction for
/// all is simply better, because it leaves nothing half-built.
fn is_brief(delta: &Delta, weights: &[Row], view: &View<'_>) -> bool {
    let bytes = weigh::weight(delta, weights, view).and_then(|row| row.int("bytes").ok());
    let unmade = relation(delta, view).is_some_and(|relation| relation.stored == Stored::Nowhere);
    let little = unmade || bytes.is_some_and(|bytes| bytes <= BRIEF_BYTES);
    view.server.single_session || (little && !is_filled_first(delta, view))
}

/// Whether the plan fills what the index is on before it is built: then what there is now says nothing.
pub fn is_filled_first(delta: &Delta, view: &View<'_>) -> bool {
    let was_there = matches!(delta.reason, Reason::Remade | Reason::Disappeared | Reason::Begun);
    delta.on.as_ref().is_some_and(|on| continuous_aggregate::is_filled_first(on, was_there, view))
}

/// Whether a replaced index is dropped before the new one is built, rather than after. An invalid
/// one helps nobody meanwhile. And on a hypertable, two indexes that TimescaleDB cannot tell apart
/// must not exist at once: chunks made then would get one index for both. It compares operator
/// families, so a change of operator classes alone may be such a case.
pub fn drops_first(delta: &Delta, view: &View<'_>) -> bool {
    let Some(live) = &delta.live else { return false };
    let invalid = live.get("valid") != Some(&Value::Bool(true));
    invalid || (delta.on.as_ref().is_some_and(|on| view.is_hypertable(on)) && only_opclasses_change(delta))
}

fn only_opclasses_change(delta: &Delta) -> bool {
    let beside = |name: &str| name.contains('.') || name == "tablespace" || name == moved::NAME;
    let mut definition = delta.changes.iter().filter(|change| !beside(&change.attribute));
    definition.all(|change| {
        change.attribute == "columns"
            && without_opclasses(change.before.as_ref()) == without_opclasses(change.after.as_ref())
    })
}

fn without_opclasses(columns: Option<&Value>) -> Vec<KeyColumn> {
    let keys = columns.map(Value::as_list).unwrap_or_default().iter().filter_map(as_key);
    keys.cloned().map(|key| KeyColumn { opclass: None, ..key }).collect()
}

/// Whether an index is dropped only when those that the policy has in its place are there. Not where
/// something needs it gone: a hypertable or columnstore that is made refuses some unique indexes,
/// and TimescaleDB does not tell two indexes on the same columns apart (see [`drops_first`]).
pub fn is_removed_last(removal: &Delta, others: &[&Delta], view: &View<'_>) -> bool {
    let makes = |other: &&&Delta| other.desired.is_some();
    let is = |other: &Delta, kind: &'static str| other.address.kind == KindId::new(kind);
    let hypertable = removal.on.as_ref().is_some_and(|on| view.is_hypertable(on));
    let columns = without_opclasses(removal.live.as_ref().and_then(|live| live.get("columns")));
    !others.iter().filter(makes).any(|other| {
        let wanted = other.desired.as_ref().and_then(|desired| desired.get("columns"));
        let alike = hypertable && other.address.kind == removal.address.kind && without_opclasses(wanted) == columns;
        alike || is(other, "hypertable") || is(other, "columnstore")
    })
}

fn is_gentle(delta: &Delta) -> bool {
    let live = delta.live.as_ref();
    let method = live.and_then(|live| live.get("method")?.as_text()).unwrap_or_default();
    let mut changed = delta.changes.iter().filter_map(|change| change.attribute.strip_prefix("storage."));
    changed.all(|name| {
        reloption::known(name, Owner::Index(method)).is_some_and(|it| it.lock <= LockMode::ShareUpdateExclusive)
    })
}

/// Whether an interrupted replacement or its server went on and built just what is wanted now, so
/// that it only has to take over.
pub fn is_built_already(delta: &Delta, view: &View<'_>) -> bool {
    let (Some(desired), false) = (&delta.desired, drops_first(delta, view)) else { return false };
    let redefined = DEFINITION.iter().any(|name| delta.change(name).is_some());
    if !redefined {
        return false;
    }
    let Some(built) = unfinished(delta, view) else { return false };
    let same = |name: &&str| built.get(*name) == desired.get(name);
    let storage = built.iter().filter_map(|(name, value)| Some((name.strip_prefix("storage.")?, value)));
    let tablespace = tablespace(delta);
    built.get("valid") == Some(&Value::Bool(true))
        && DEFINITION.iter().all(same)
        && Value::List(storage.map(pair).collect()) == all_parameters(delta)
        && (tablespace == Value::Null || built.get("tablespace") == Some(&tablespace))
}

/// A finished replacement of this index, which only has to take its place.
pub fn taken_over(delta: &Delta, view: &View<'_>) -> Option<Address> {
    let address = Address { name: names::unfinished(&delta.address.name), ..delta.address.clone() };
    (delta.live.is_some() && view.live.contains_key(&address) && is_built_already(delta, view)).then_some(address)
}

/// The attributes of what a replacement has begun to build.
fn unfinished<'a>(delta: &'a Delta, view: &View<'a>) -> Option<Cow<'a, BTreeMap<String, Value>>> {
    let attached = delta.live.as_ref().and_then(|live| live.fact("leftover.unfinished"));
    if let Some(Value::Map(attributes)) = attached {
        return Some(Cow::Borrowed(attributes));
    }
    let address = Address { name: names::unfinished(&delta.address.name), ..delta.address.clone() };
    let own = |live: &&Live| live.on == delta.on && live.fact("constraint").is_none();
    let built = view.live.get(&address).filter(own)?.attributes.iter();
    Some(Cow::Owned(built.map(|(name, value)| (name.clone(), value.clone())).collect()))
}

/// The tablespace of an index that is built. What the policy does not say stays as it is.
pub fn tablespace(delta: &Delta) -> Value {
    let wanted = delta.desired.as_ref().and_then(|desired| desired.get("tablespace"));
    let kept = delta.live.as_ref().filter(|live| live.fact("own_tablespace") == Some(&Value::Bool(true)));
    wanted.or_else(|| kept?.get("tablespace")).cloned().unwrap_or(Value::Null)
}

/// The names that a replacement needs on its way and that must be free for it, besides those of what
/// an earlier one left there, which goes first or takes over.
pub fn needed_names(delta: &Delta, view: &View<'_>) -> Vec<QualifiedName> {
    let swap = delta.live.is_some() && delta.desired.is_some() && !drops_first(delta, view);
    let mut needed = Vec::new();
    let Some(schema) = delta.address.schema.as_deref().filter(|_| swap) else { return needed };
    let left = |attribute: &str| {
        delta.live.as_ref().is_some_and(|live| !matches!(live.get(attribute), None | Some(Value::Null)))
    };
    if !left("leftover.unfinished") && !is_built_already(delta, view) {
        needed.push(QualifiedName::new(schema, names::unfinished(&delta.address.name)));
    }
    // Elsewhere the old index is dropped rather than renamed.
    if !left("leftover.retired") && holds(CONCURRENTLY, delta, &[], view) {
        needed.push(QualifiedName::new(schema, names::retired(&delta.address.name)));
    }
    needed
}

/// What the templates need: under which name the index is built, what happens to the one before,
/// and its storage.
pub fn context(delta: &Delta, view: &View<'_>) -> BTreeMap<String, Value> {
    let own = &delta.address.name;
    let swap = delta.live.is_some() && !drops_first(delta, view);
    let (unfinished, retired) = (names::unfinished(own), names::retired(own));
    let schema = delta.address.schema.clone().unwrap_or_default();
    let exists = |name: &str, attribute: &str| {
        let attached = delta.live.as_ref().is_some_and(|live| !matches!(live.get(attribute), None | Some(Value::Null)));
        let address = Address { name: name.to_owned(), ..delta.address.clone() };
        attached || view.live.get(&address).is_some_and(|live| live.on == delta.on && is_left_over(live))
    };
    let (set, reset) = parameters(delta);
    let built_already = is_built_already(delta, view);
    BTreeMap::from([
        ("renamed_from".to_owned(), moved::renamed_from(delta).map_or(Value::Null, Value::Name)),
        ("swap".to_owned(), swap.into()),
        ("built_already".to_owned(), built_already.into()),
        ("drop_first".to_owned(), (delta.live.is_some() && !swap).into()),
        ("build_as".to_owned(), Value::text(if swap { &unfinished } else { own })),
        ("unfinished_left".to_owned(), (!built_already && exists(&unfinished, "leftover.unfinished")).into()),
        ("retired_left".to_owned(), exists(&retired, "leftover.retired").into()),
        ("unfinished".to_owned(), Value::Name(QualifiedName::new(&schema, unfinished))),
        ("retired".to_owned(), Value::Name(QualifiedName::new(&schema, &retired))),
        ("retired_as".to_owned(), Value::Text(retired)),
        ("retired_mark".to_owned(), Value::text(names::RETIRED_MARK)),
        ("parameters".to_owned(), all_parameters(delta)),
        ("set".to_owned(), set),
        ("reset".to_owned(), reset),
        ("tablespace".to_owned(), tablespace(delta)),
    ])
}

fn pair((name, value): (&str, &Value)) -> Value {
    Value::Map(BTreeMap::from([("name".to_owned(), Value::text(name)), ("value".to_owned(), value.clone())]))
}

/// The storage parameters of an index that is built: those of the one before, and over them what the
/// policy says.
fn all_parameters(delta: &Delta) -> Value {
    let before = delta.live.iter().flat_map(|live| &live.attributes);
    let after = delta.desired.iter().flat_map(|desired| &desired.attributes);
    let mut all: BTreeMap<&str, &Value> = BTreeMap::new();
    for (name, value) in before.chain(after) {
        if let Some(name) = name.strip_prefix("storage.") {
            all.insert(name, value);
        }
    }
    // What was applied and is no longer in the policy, see `Kind::forgets`.
    for change in delta.changes.iter().filter(|change| change.after.is_none()) {
        all.remove(change.attribute.strip_prefix("storage.").unwrap_or_default());
    }
    Value::List(all.into_iter().filter(|(_, value)| **value != Value::Null).map(pair).collect())
}

/// The parameters that a change sets, and those that it resets.
fn parameters(delta: &Delta) -> (Value, Value) {
    let mut set = Vec::new();
    let mut reset = Vec::new();
    for change in &delta.changes {
        let Some(name) = change.attribute.strip_prefix("storage.") else { continue };
        match &change.after {
            None | Some(Value::Null) => reset.push(Value::text(name)),
            Some(value) => set.push(pair((name, value))),
        }
    }
    (Value::List(set), Value::List(reset))
}
