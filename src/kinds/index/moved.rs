//! An index that has another name in the database than the policy gives it: `moved: {from: …}`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::ID;
use crate::core::{Address, Applied, Delta, Desired, Live, QualifiedName, Value};
use crate::diag::{Diagnostic, code};

/// The name as an attribute: only of an index whose policy says what it was called before.
pub const NAME: &str = "name";

/// Gives an index that is still called as before the address that its policy gives it, unless one of
/// that name is there already.
pub fn identify(
    mut found: Vec<Live>,
    desired: &BTreeMap<Address, Desired>,
    applied: &BTreeMap<Address, Applied>,
) -> Vec<Live> {
    let named = desired.values().filter(|desired| desired.address.kind == ID && desired.get(NAME).is_some());
    let named: Vec<&Desired> = named.collect();
    if named.is_empty() {
        return found;
    }
    let there: BTreeSet<Address> = found.iter().map(|live| live.address.clone()).collect();
    let called: BTreeMap<Address, &Desired> = named
        .iter()
        .filter(|desired| !there.contains(&desired.address))
        .filter_map(|desired| Some((before(desired, applied.get(&desired.address))?, *desired)))
        .collect();
    let named: BTreeSet<&Address> = named.iter().map(|desired| &desired.address).collect();
    for live in &mut found {
        let name = Value::text(&live.address.name);
        if named.contains(&live.address) {
            live.set(NAME, name);
        } else if let Some(desired) = called.get(&live.address).filter(|desired| desired.on == live.on) {
            live.set(NAME, name);
            live.address = desired.address.clone();
        }
    }
    found
}

/// What an index was called before: by its policy or, while a plan is carried out, as it was seen.
fn before(desired: &Desired, seen: Option<&Applied>) -> Option<Address> {
    if let Some(from) = &desired.moved_from {
        return Some(from.clone());
    }
    let name = seen?.attributes.get(NAME).and_then(Json::as_str).filter(|name| *name != desired.address.name)?;
    Some(Address { name: name.to_owned(), ..desired.address.clone() })
}

/// What it is called now, where it is to be renamed.
pub fn renamed_from(delta: &Delta) -> Option<QualifiedName> {
    let name = delta.change(NAME)?.before.as_ref()?.as_text()?;
    Some(QualifiedName::new(delta.address.schema.clone()?, name))
}

/// Indexes that were something that the policies still want, or that two were.
pub fn check(own: &[&Desired], all: &BTreeMap<Address, Desired>, sink: &mut Vec<Diagnostic>) {
    let mut claimed: BTreeMap<&Address, &Desired> = BTreeMap::new();
    for desired in own {
        let Some(from) = &desired.moved_from else { continue };
        let name = &from.name;
        let other = all.get(from).map(|other| (other, format!("`{name}` is described here as well")));
        let other = other.or_else(|| Some((*claimed.get(from)?, format!("this index was `{name}`, too"))));
        if let Some((other, said)) = other {
            let message = format!("`{}` cannot have been `{name}`", desired.address.name);
            sink.push(
                Diagnostic::error(&code::POLICY_CONFLICT, message)
                    .at(desired.place_of(NAME))
                    .and_at(&other.place, said)
                    .why("an index that was renamed is one index, with one name")
                    .help("take `moved` out of one of them, or the other index out of the policy"),
            );
        }
        claimed.entry(from).or_insert(desired);
    }
}
