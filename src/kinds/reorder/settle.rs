//! What makes a reorder policy impossible, or of no effect.

use std::collections::BTreeMap;

use crate::core::{Address, Desired, Ensure, KindId, Live, QualifiedName, Value};
use crate::diag::{Diagnostic, code};
use crate::kinds::reorder::UNUSABLE_INDEX;
use crate::kinds::{View, index, job};

/// How many of the newest chunks the job leaves alone (`REORDER_SKIP_RECENT_DIM_SLICES_N` in
/// `tsl/src/bgw_policy/job.c`, 2.14 to 2.29).
const NEWEST: i128 = 3;

/// The address of the index that a policy names: an index is in its table's schema.
pub fn index_address(desired: &Desired) -> Option<Address> {
    let name = desired.get("index")?.as_text()?;
    let schema = &desired.on.as_ref()?.schema;
    Some(Address::in_schema(KindId::new("index"), &QualifiedName::new(schema, name)))
}

/// The desired policy, where the server can take it.
pub fn settle(desired: &Desired, view: &View<'_>, sink: &mut Vec<Diagnostic>) -> Option<Desired> {
    if desired.ensure == Ensure::Absent {
        return Some(desired.clone());
    }
    job::relation("a reorder policy", desired, view, sink)?;
    let address = index_address(desired)?;
    match unusable(desired, &address, view) {
        Some(error) => {
            sink.push(error.at(desired.place_of("index")));
            None
        }
        None => Some(desired.clone()),
    }
}

/// Why chunks cannot be ordered by the index (`check_index_is_clusterable` of PostgreSQL, and
/// `check_valid_index` in `tsl/src/bgw_policy/reorder_api.c`).
fn unusable(desired: &Desired, address: &Address, view: &View<'_>) -> Option<Diagnostic> {
    let error = |message: String| Some(Diagnostic::error(&UNUSABLE_INDEX, message));
    let name = &address.name;
    let on = desired.on.as_ref()?;
    let wanted = view.desired.get(address);
    if let Some(index) = wanted.filter(|index| index.ensure == Ensure::Absent) {
        let message = format!("the chunks of {on} cannot be ordered by `{name}`, which the policies remove");
        return Some(
            Diagnostic::error(&UNUSABLE_INDEX, message)
                .and_at(&index.place, "here")
                .help("keep the index, or name another one"),
        );
    }
    let wanted = wanted.filter(|index| index.on.as_ref() == Some(on));
    let live = view.live.get(address).filter(|live| live.on.as_ref() == Some(on));
    if wanted.is_none() && live.is_none() {
        if index::is_made_with_hypertable(name, on, view) {
            return None;
        }
        let message = format!("{on} has no index `{name}`");
        let known: Vec<String> = indexes(on, view).map(|live| format!("`{}`", live.address.name)).collect();
        let help = match known.as_slice() {
            [] => "describe it under `indexes` of this document".to_owned(),
            names => format!("its indexes are {}; describe another one under `indexes`", names.join(", ")),
        };
        return error(message).map(|error| error.help(help));
    }
    // As the policies want it, or else as it is.
    let get = |attribute: &str| match wanted {
        Some(wanted) => wanted.get(attribute),
        None => live.and_then(|live| live.get(attribute)),
    };
    let method = get("method").and_then(Value::as_text).unwrap_or("btree");
    if !matches!(method, "btree" | "gist") {
        return error(format!("chunks cannot be ordered by `{name}`: an index by {method} has no order"))
            .map(|error| error.help("name an index of the method btree"));
    }
    if get("where").is_some_and(|value| *value != Value::Null) {
        return error(format!("chunks cannot be ordered by `{name}`: it is over some of the rows only"))
            .map(|error| error.help("name an index without a `where`"));
    }
    if wanted.is_none() && live.and_then(|live| live.get("valid")) == Some(&Value::Bool(false)) {
        return error(format!("chunks cannot be ordered by `{name}`: it is invalid"))
            .map(|error| error.help("build it again, or name another one"));
    }
    None
}

fn indexes<'a>(on: &'a QualifiedName, view: &View<'a>) -> impl Iterator<Item = &'a Live> {
    let of = |live: &&Live| live.address.kind == KindId::new("index") && live.on.as_ref() == Some(on);
    view.live.values().filter(of)
}

/// A chunk that is in the columnstore before it is three chunks old is never reordered.
pub fn check_against_columnstore(desired: &Desired, all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let sibling = |kind: &'static str| {
        let address = Address::in_schema(KindId::new(kind), desired.on.as_ref()?);
        all.get(&address).filter(|sibling| sibling.ensure == Ensure::Present)
    };
    let (Some(columnstore), Some(hypertable)) = (sibling("columnstore"), sibling("hypertable")) else { return };
    let (Some(after), Some(chunk)) = (columnstore.get("after"), hypertable.get("chunk_interval")) else { return };
    let early = match (after, chunk) {
        (Value::Interval(after), Value::Interval(chunk)) => {
            after.approximate_micros() < NEWEST * chunk.approximate_micros()
        }
        (Value::Int(after), Value::Int(chunk)) => i128::from(*after) < NEWEST * i128::from(*chunk),
        _ => false,
    };
    if early {
        let message = format!("chunks of {chunk} go to the columnstore after {after}, before they are reordered");
        sink.push(
            Diagnostic::warning(&code::POLICY_CONFLICT, message)
                .at(&desired.place)
                .and_at(columnstore.place_of("after"), "the columnstore's age")
                .why("the job leaves the three newest chunks alone, and every chunk that is in the columnstore")
                .help("take `reorder` out: the columnstore has an order of its own, `order_by`"),
        );
    }
}
