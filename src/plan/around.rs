//! What is in sync and has a say in what the actions do. The look before the first statement makes the actions
//! anew, and is to do that with what the plan was made with, apart from the live database.

use std::collections::BTreeSet;

use crate::core::{Desired, Live, QualifiedName};
use crate::kinds::{self, by_id};
use crate::plan::artifact::Adopt;
use crate::plan::build::Input;

/// What policies say of the relations that something changes on, of what these are made from and of what is made
/// from them, at any depth; and what bears on a kind that changes, or is recorded, wherever it is.
pub fn around<'a>(input: &Input<'a>, adopt: &[Adopt]) -> Vec<&'a Desired> {
    let deltas = &input.diff.deltas;
    let mut near: BTreeSet<QualifiedName> = BTreeSet::new();
    for delta in deltas {
        near.extend(delta.on.clone());
        near.extend(delta.desired.iter().flat_map(|desired| relations(desired, delta.live.as_ref())));
    }
    let same = input.diff.in_sync.iter().filter_map(|address| input.desired.get(address));
    let same = same.map(|desired| (desired, relations(desired, input.view.live.get(&desired.address))));
    let (mut found, far) = reached(near, same.collect());
    let recorded = adopt.iter().map(|adopted| &adopted.address.kind);
    let changing: BTreeSet<_> = deltas.iter().map(|delta| &delta.address.kind).chain(recorded).collect();
    let bears = |desired: &&Desired| {
        by_id(&desired.address.kind).is_some_and(|kind| changing.iter().any(|other| kind.bears_on(desired, other)))
    };
    found.extend(far.into_iter().filter(bears));
    found.sort_by(|one, other| one.address.cmp(&other.address));
    found
}

/// What is about a relation that is near, or about one that something near is about; and what is not.
fn reached<T>(mut near: BTreeSet<QualifiedName>, mut far: Vec<(T, BTreeSet<QualifiedName>)>) -> (Vec<T>, Vec<T>) {
    let mut found: Vec<T> = Vec::new();
    loop {
        let is_near = |(_, of): &(T, BTreeSet<QualifiedName>)| of.iter().any(|name| near.contains(name));
        let (now, rest): (Vec<_>, Vec<_>) = far.into_iter().partition(is_near);
        far = rest;
        if now.is_empty() {
            return (found, far.into_iter().map(|(one, _)| one).collect());
        }
        for (one, of) in now {
            near.extend(of);
            found.push(one);
        }
    }
}

/// Every relation that a resource is about.
pub fn relations(desired: &Desired, live: Option<&Live>) -> BTreeSet<QualifiedName> {
    let made_from = by_id(&desired.address.kind).map(|kind| kind.made_from(desired, live)).unwrap_or_default();
    desired.on.iter().cloned().chain(kinds::reads(desired)).chain(made_from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &str) -> BTreeSet<QualifiedName> {
        names.split_whitespace().map(|name| QualifiedName::new("public", name)).collect()
    }

    /// What is reached from a relation, of resources by the relations that each is about.
    fn from(near: &str, about: &[&'static str]) -> (Vec<&'static str>, Vec<&'static str>) {
        reached(names(near), about.iter().map(|of| (*of, names(of))).collect())
    }

    #[test]
    fn what_is_made_of_one_another_is_near_at_any_depth_and_in_either_direction() {
        // An aggregate is about itself and what it reads.
        let all = ["raw", "hourly raw", "daily hourly", "weekly daily", "other", "of_other other"];
        let (mut near, far) = from("hourly", &all);
        near.sort_unstable();
        assert_eq!(near, ["daily hourly", "hourly raw", "raw", "weekly daily"]);
        assert_eq!(far, ["other", "of_other other"]);
        let mut backwards = all;
        backwards.reverse();
        assert_eq!(from("raw", &backwards).0.len(), 4, "in whatever order they come");
        assert_eq!(from("weekly", &all).0.len(), 4);
    }

    #[test]
    fn what_is_about_nothing_is_near_to_nothing_and_a_circle_ends() {
        assert_eq!(from("a", &["", "b"]), (vec![], vec!["", "b"]));
        assert_eq!(from("", &["a"]), (vec![], vec!["a"]));
        assert_eq!(from("a", &["a b", "b c", "c a"]).0.len(), 3);
    }
}
