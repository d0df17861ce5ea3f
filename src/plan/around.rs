//! What is in sync and has a say in what the actions do. The look before the first statement makes the actions
//! anew, and is to do that with what the plan was made with, apart from the live database.

use std::collections::BTreeSet;

use crate::core::{Desired, Live, QualifiedName};
use crate::kinds::{self, by_id};
use crate::plan::build::Input;

/// What policies say of the relations that something changes on, of what these are made from and of what is made
/// from them, at any depth; and what bears on a changing kind wherever it is.
pub fn around<'a>(input: &Input<'a>) -> Vec<&'a Desired> {
    let deltas = &input.diff.deltas;
    let mut near: BTreeSet<QualifiedName> = BTreeSet::new();
    for delta in deltas {
        near.extend(delta.on.clone());
        near.extend(delta.desired.iter().flat_map(|desired| relations(desired, delta.live.as_ref())));
    }
    let same = input.diff.in_sync.iter().filter_map(|address| input.desired.get(address));
    let mut far: Vec<(&Desired, BTreeSet<QualifiedName>)> =
        same.map(|desired| (desired, relations(desired, input.view.live.get(&desired.address)))).collect();
    let mut found: Vec<&Desired> = Vec::new();
    loop {
        let is_near = |(_, of): &(&Desired, BTreeSet<QualifiedName>)| of.iter().any(|name| near.contains(name));
        let (reached, rest): (Vec<_>, Vec<_>) = far.into_iter().partition(is_near);
        far = rest;
        if reached.is_empty() {
            break;
        }
        for (desired, of) in reached {
            near.extend(of);
            found.push(desired);
        }
    }
    let changing: BTreeSet<_> = deltas.iter().map(|delta| &delta.address.kind).collect();
    let bears = |desired: &&Desired| {
        by_id(&desired.address.kind).is_some_and(|kind| changing.iter().any(|other| kind.bears_on(desired, other)))
    };
    found.extend(far.into_iter().map(|(desired, _)| desired).filter(bears));
    found.sort_by(|one, other| one.address.cmp(&other.address));
    found
}

/// Every relation that a resource is about.
pub fn relations(desired: &Desired, live: Option<&Live>) -> BTreeSet<QualifiedName> {
    let made_from = by_id(&desired.address.kind).map(|kind| kind.made_from(desired, live)).unwrap_or_default();
    desired.on.iter().cloned().chain(kinds::reads(desired)).chain(made_from).collect()
}
