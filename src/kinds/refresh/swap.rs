//! Refresh policies of one aggregate whose windows change places: each is in the way of another, so
//! that none can be moved first. One of them then takes the jobs of the others away in its own
//! transaction, and those are made again.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Address, Delta, Ensure, Live, QualifiedName, Value};
use crate::kinds::View;
use crate::kinds::refresh::{ID, Window};

/// Policies that wait for each other in a circle.
pub struct Circle<'a> {
    /// The one that is moved first.
    pub first: Address,
    /// All of them, as they are live.
    members: BTreeMap<&'a Address, &'a Live>,
}

impl<'a> Circle<'a> {
    /// The circle that a policy is in, where it is in one.
    pub fn of(delta: &Delta, view: &View<'a>) -> Option<Self> {
        let (live, waits) = waiting(delta.on.as_ref()?, view);
        let reached = |from: &'a Address| {
            let mut seen: BTreeSet<&Address> = BTreeSet::new();
            let mut open: Vec<&Address> = vec![from];
            while let Some(next) = open.pop() {
                open.extend(waits.get(next).into_iter().flatten().copied().filter(|other| seen.insert(*other)));
            }
            seen
        };
        let (own, _) = waits.get_key_value(&delta.address)?;
        let after = reached(own);
        let members: BTreeMap<&Address, &Live> = live
            .into_iter()
            .filter(|(address, _)| after.contains(address) && (address == own || reached(address).contains(own)))
            .collect();
        let first = members.keys().next().map(|first| (*first).clone())?;
        (members.len() > 1).then_some(Self { first, members })
    }

    /// Whether a policy is in it.
    pub fn holds(&self, address: &Address) -> bool {
        self.members.contains_key(address)
    }

    /// The jobs that the first one takes away.
    pub fn cleared(&self) -> Vec<Value> {
        let others = self.members.iter().filter(|(address, _)| ***address != self.first);
        others.filter_map(|(_, live)| live.fact("job_id").cloned()).collect()
    }
}

type Waiting<'a> = BTreeMap<&'a Address, BTreeSet<&'a Address>>;

/// The live policies of an aggregate that stay, and for each that is to have another window those that
/// are in its way.
fn waiting<'a>(on: &QualifiedName, view: &View<'a>) -> (BTreeMap<&'a Address, &'a Live>, Waiting<'a>) {
    let stays = |live: &&Live| {
        let wanted = view.desired.get(&live.address).is_some_and(|wanted| wanted.ensure == Ensure::Present);
        live.address.kind == ID && live.on.as_ref() == Some(on) && wanted
    };
    let live: BTreeMap<&Address, &Live> = view.live.values().filter(stays).map(|live| (&live.address, live)).collect();
    let mut waits = Waiting::new();
    for address in live.keys() {
        let Some(window) = view.desired.get(*address).map(Window::of_desired) else { continue };
        let others = live.iter().filter(|(other, live)| *other != address && Window::of_live(live).overlaps(window));
        waits.insert(*address, others.map(|(other, _)| *other).collect());
    }
    (live, waits)
}
