//! What somebody set by hand on what policies describe beside an aggregate, such as the settings of its columnstore or
//! how long a job may run. Policies that do not write it leave it as it is; but what is made again with the aggregate
//! is made as they say, and otherwise as the server chooses.

use std::collections::BTreeMap;

use super::ID;
use crate::core::{Address, Desired, Ensure, Live, QualifiedName};
use crate::kinds::{Export, Kind, View, by_id};

/// What of that goes with one that is made anew: in words with what was set, and by what it is known by again.
pub fn lost(on: &QualifiedName, view: &View<'_>) -> Vec<(String, String)> {
    let beside =
        view.live.values().filter(|live| live.on.as_ref() == Some(on) && live.address.kind != ID && !live.system);
    beside.flat_map(|live| of_one(live, on, view)).collect()
}

fn of_one(live: &Live, on: &QualifiedName, view: &View<'_>) -> Vec<(String, String)> {
    let wanted = view.desired.get(&live.address).filter(|wanted| wanted.ensure == Ensure::Present);
    let (Some(wanted), Some(kind)) = (wanted, by_id(&live.address.kind)) else { return Vec::new() };
    let settled = kind.settle(wanted, view, &mut Vec::new());
    let wanted = settled.as_ref().unwrap_or(wanted);
    let title = match kind.is_nameless() || live.address.name == on.name {
        true => format!("its {}", kind.title()),
        false => format!("the {} \"{}\"", kind.title(), live.address.name),
    };
    let set =
        live.attributes.iter().filter(|(name, _)| is_unwritten(name, live, wanted) && is_set(name, live, kind, view));
    set.map(|(name, value)| (format!("`{name}: {value}` of {title}"), format!("{name} of {title}"))).collect()
}

/// Whether a policy says nothing of it. That a job is paused is kept; and how the columnstore orders rows is the
/// server's choice by what it segments them by, unless that was set by hand as well.
fn is_unwritten(name: &str, live: &Live, wanted: &Desired) -> bool {
    let by_hand = wanted.get("segment_by").is_none()
        && live.get("segment_by").is_some_and(|columns| !columns.as_list().is_empty());
    let follows = ["order_by", "sparse_index"].contains(&name) && !by_hand;
    name != "schedule.paused" && !follows && !wanted.attributes.contains_key(name)
}

/// Whether a policy could say it, and the server does not choose it by itself: whoever wrote down what is live would
/// write it.
fn is_set(name: &str, live: &Live, kind: &dyn Kind, view: &View<'_>) -> bool {
    let nothing: BTreeMap<Address, Desired> = BTreeMap::new();
    let view = View { desired: &nothing, ..*view };
    let mut without = live.clone();
    without.attributes.remove(name);
    match (kind.export(live, &view), kind.export(&without, &view)) {
        (Export::Unable, _) | (Export::LeftOut(_), _) => false,
        (with, without) => with != without,
    }
}
