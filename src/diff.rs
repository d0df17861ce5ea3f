//! Desired against live against last applied: pure, and blind to what kinds there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::core::{
    Address, Applied, Change, Containers, Delta, Desired, Ensure, KindId, Live, QualifiedName, Reason, Value, Whence,
    stack,
};

/// The three sides, and what the policies speak of at all.
pub struct Sides<'a> {
    /// What the policies want, in the server's form.
    pub desired: &'a BTreeMap<Address, Desired>,
    /// What the database has.
    pub live: &'a BTreeMap<Address, Live>,
    /// What the ledger remembers.
    pub applied: &'a BTreeMap<Address, Applied>,
    /// Every address that a policy describes, also those set aside while settling.
    pub named: &'a BTreeSet<Address>,
    /// Every relation that a policy document describes.
    pub managed: &'a BTreeSet<QualifiedName>,
    /// Every container that the policies describe as a whole.
    pub containers: &'a Containers,
    /// Whether an attribute that was applied and is no longer in the policy goes back to the
    /// server's default, for this kind.
    pub forgets: &'a (dyn Fn(&KindId, &str) -> bool + Sync),
    /// Whether an attribute as it was applied means what the policy wants of it, though it reads
    /// differently.
    pub means_same: &'a (dyn Fn(&Desired, &str, &Json) -> bool + Sync),
    /// Whether an attribute is one that settling adds and that no policy writes, for a resource as it is
    /// wanted and was applied. What was applied then need not say it to have meant it.
    pub derived: &'a (dyn Fn(&Desired, &Applied, &str) -> bool + Sync),
    /// Whether an attribute of this kind is only ever what an unfinished run left.
    pub left_over: &'a (dyn Fn(&KindId, &str) -> bool + Sync),
    /// What an attribute of this kind is called in reports, where that is not its name.
    pub label: &'a (dyn Fn(&KindId, &str) -> Option<&'static str> + Sync),
    /// Whether nothing can remove a resource of this kind.
    pub permanent: &'a (dyn Fn(&KindId) -> bool + Sync),
    /// Where the policy is that a resource was applied from.
    pub whence: &'a (dyn Fn(&Applied) -> Whence + Sync),
    /// Whether closing a delta takes everything along that is on its relation.
    pub takes_along: &'a (dyn Fn(&Delta) -> bool + Sync),
    /// Whether a resource goes with relations that are made anew, though it is on none of them, and can
    /// be made again.
    pub goes_with: &'a (dyn Fn(&Desired, &Live, &BTreeSet<QualifiedName>) -> bool + Sync),
    /// What is left of one that goes with some relations and is on others as well.
    pub left_of: &'a (dyn Fn(&Live, &BTreeSet<QualifiedName>) -> Option<Live> + Sync),
    /// Whether closing a delta makes the relation that it is on.
    pub makes: &'a (dyn Fn(&Delta) -> bool + Sync),
    /// What one that is on several things has once some relations are made, where it is to be on these as well.
    pub joined_by: &'a (dyn Fn(&Live, &BTreeSet<QualifiedName>) -> Option<Live> + Sync),
}

/// What a comparison finds.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Diff {
    /// What differs.
    pub deltas: Vec<Delta>,
    /// What is wanted and already so, in order.
    pub in_sync: Vec<Address>,
    /// What is live on a managed relation, unnamed, and not Chronoform's own.
    pub unmanaged: Vec<Address>,
    /// What is so too, and goes with its relation, which is made anew or removed.
    pub carried: Vec<Address>,
    /// What Chronoform applied, a policy no longer mentions, and nothing can remove: it stays, and is
    /// no longer managed.
    pub released: Vec<Address>,
    /// What Chronoform applied from a policy that is not among those at hand, and these do not
    /// mention: that it is not wanted any more cannot be told from them.
    pub elsewhere: Vec<Address>,
    /// What Chronoform applied to a relation that no policy describes any more.
    pub orphaned: Vec<Address>,
}

/// Compares the sides.
pub fn diff(sides: &Sides<'_>) -> Diff {
    let mut found = Diff::default();
    let wanted: Vec<&Desired> = sides.desired.values().collect();
    for (address, standing) in sides.desired.keys().zip(stack::spread(wanted, |desired| of_wanted(desired, sides))) {
        match standing {
            Wanted::Differs(delta) => found.deltas.push(*delta),
            Wanted::InSync => found.in_sync.push(address.clone()),
            Wanted::NotThere => {}
        }
    }
    for (address, live) in sides.live {
        if sides.named.contains(address) {
            continue;
        }
        let managed = match &live.on {
            Some(on) => sides.managed.contains(on),
            None => sides.containers.is_in_one(address),
        };
        match (sides.applied.get(address), managed) {
            (Some(applied), true) if (sides.whence)(applied) != Whence::Given => found.elsewhere.push(address.clone()),
            (Some(_), true) if (sides.permanent)(&address.kind) => found.released.push(address.clone()),
            (Some(applied), true) => {
                let goes = |name: &str| !(sides.forgets)(&address.kind, name) || applied.attributes.contains_key(name);
                found.deltas.push(remove(live, Reason::Dropped, goes));
            }
            (Some(applied), false) if (sides.whence)(applied) == Whence::Elsewhere => {}
            (Some(_), false) => found.orphaned.push(address.clone()),
            (None, true) if !live.system => found.unmanaged.push(address.clone()),
            (None, _) => {}
        }
    }
    carry_along(&mut found, sides);
    join(&mut found, sides);
    found
}

/// How a resource that is spoken of is there.
enum Wanted {
    /// Otherwise than it is wanted. Most do not differ, and are not to take the room of a difference.
    Differs(Box<Delta>),
    InSync,
    /// Not, and neither is it wanted.
    NotThere,
}

fn of_wanted(desired: &Desired, sides: &Sides<'_>) -> Wanted {
    let delta = match (sides.live.get(&desired.address), desired.ensure) {
        (None, Ensure::Absent) => return Wanted::NotThere,
        (None, Ensure::Present) => Some(create(desired, sides)),
        (Some(live), Ensure::Absent) => Some(remove(live, Reason::Unwanted, |_| true)),
        (Some(live), Ensure::Present) => update(desired, live, sides),
    };
    delta.map_or(Wanted::InSync, |delta| Wanted::Differs(Box::new(delta)))
}

/// What is on a relation that is made anew is created again, and needs no removal of its own. So is
/// what was made from it, with all that is on that.
fn carry_along(found: &mut Diff, sides: &Sides<'_>) {
    let carriers = found.deltas.iter().filter(|delta| (sides.takes_along)(delta));
    let mut carriers: BTreeMap<QualifiedName, Option<Address>> =
        carriers.filter_map(|delta| Some((delta.on.clone()?, Some(delta.address.clone())))).collect();
    if carriers.is_empty() {
        return;
    }
    let (along, gone) = made_from(found, sides);
    // Of what goes itself, nothing on its relation is the carrier.
    carriers.extend(along.iter().filter_map(|address| Some((sides.desired.get(address)?.on.clone()?, None))));
    let goes = |on: Option<&QualifiedName>, address: &Address| {
        let carrier = on.and_then(|on| carriers.get(on));
        along.contains(address) || carrier.is_some_and(|carrier| carrier.as_ref() != Some(address))
    };
    let on = |address: &Address| sides.live.get(address).and_then(|live| live.on.as_ref());
    let unmanaged = std::mem::take(&mut found.unmanaged);
    (found.carried, found.unmanaged) = unmanaged.into_iter().partition(|address| goes(on(address), address));
    found.deltas.retain(|delta| delta.is_create() || !goes(delta.on.as_ref(), &delta.address));
    let again = |desired: &&Desired| {
        desired.ensure == Ensure::Present
            && sides.live.contains_key(&desired.address)
            && goes(desired.on.as_ref(), &desired.address)
    };
    let again: Vec<(&Address, Option<Delta>)> =
        sides.desired.values().filter(again).map(|desired| (&desired.address, remade(desired, &gone, sides))).collect();
    let mut same: BTreeSet<Address> = std::mem::take(&mut found.in_sync).into_iter().collect();
    for (address, delta) in again {
        match delta {
            Some(delta) => {
                same.remove(address);
                found.deltas.push(delta);
            }
            None => _ = same.insert(address.clone()),
        }
    }
    found.in_sync = same.into_iter().collect();
}

/// What goes with relations that are made anew, though it is on none of them; and all of these.
fn made_from(found: &Diff, sides: &Sides<'_>) -> (BTreeSet<Address>, BTreeSet<QualifiedName>) {
    let anew = found.deltas.iter().filter(|delta| !delta.is_remove() && (sides.takes_along)(delta));
    let mut gone: BTreeSet<QualifiedName> = anew.filter_map(|delta| delta.on.clone()).collect();
    let mut along: BTreeSet<Address> = BTreeSet::new();
    loop {
        let before = along.len();
        for (address, desired) in sides.desired.iter().filter(|(_, desired)| desired.ensure == Ensure::Present) {
            let live = sides.live.get(address).filter(|_| !along.contains(address));
            if live.is_some_and(|live| (sides.goes_with)(desired, live, &gone)) {
                gone.extend(desired.on.clone());
                along.insert(address.clone());
            }
        }
        if along.len() == before {
            return (along, gone);
        }
    }
}

/// What is as it is wanted, and is to be so on relations as well that are made only now.
fn join(found: &mut Diff, sides: &Sides<'_>) {
    let is_new = |delta: &&Delta| delta.is_create() && delta.reason != Reason::Remade && (sides.makes)(delta);
    let new: BTreeSet<QualifiedName> =
        found.deltas.iter().filter(is_new).filter_map(|delta| delta.on.clone()).collect();
    if new.is_empty() {
        return;
    }
    let joined = |address: &Address| {
        let (desired, live) = (sides.desired.get(address)?, sides.live.get(address)?);
        let delta = update(desired, &(sides.joined_by)(live, &new)?, sides)?;
        Some(Delta { reason: Reason::Joined, ..delta })
    };
    let deltas: Vec<Delta> = found.in_sync.iter().filter_map(joined).collect();
    let joined: BTreeSet<&Address> = deltas.iter().map(|delta| &delta.address).collect();
    found.in_sync.retain(|address| !joined.contains(address));
    found.deltas.extend(deltas);
}

/// One that is created again with what it is on; of what is on others as well, such as a grant on all that is in a
/// schema, what these have is changed into what is wanted, where that differs. A job that somebody has paused is made
/// again as one that is: what keeps it from its work does not end with it.
fn remade(desired: &Desired, gone: &BTreeSet<QualifiedName>, sides: &Sides<'_>) -> Option<Delta> {
    let live = sides.live.get(&desired.address);
    if let Some(left) = live.filter(|_| desired.on.is_none()).and_then(|live| (sides.left_of)(live, gone)) {
        return Some(Delta { reason: Reason::Remade, ..update(desired, &left, sides)? });
    }
    let mut delta = Delta { reason: Reason::Remade, ..made(desired) };
    if live.is_some_and(|live| unchanged(live, desired) == Status::Paused) {
        pause(&mut delta);
    }
    Some(delta)
}

/// What was applied of a resource, and its policy says no more.
fn forgotten(desired: &Desired, live: &Live, sides: &Sides<'_>) -> Vec<Change> {
    let Some(applied) = sides.applied.get(&desired.address) else { return Vec::new() };
    let forgets = |name: &&String| (sides.forgets)(&desired.address.kind, name);
    let gone = applied.attributes.keys().filter(|name| !desired.attributes.contains_key(*name)).filter(forgets);
    let change =
        |name: &String| Some(Change { attribute: name.clone(), before: Some(live.get(name)?.clone()), after: None });
    gone.filter_map(change).collect()
}

/// Makes a job that is created again one that is paused.
pub fn pause(delta: &mut Delta) {
    if let Some(again) = delta.desired.as_mut() {
        again.set(PAUSED, true);
        delta.changes.push(Change { attribute: PAUSED.to_owned(), before: None, after: Some(true.into()) });
    }
}

fn create(desired: &Desired, sides: &Sides<'_>) -> Delta {
    let known = sides.applied.get(&desired.address);
    let taken = known.and_then(|applied| applied.begun).filter(|begun| begun.away);
    let reason = match (known, taken) {
        (None, _) => Reason::Missing,
        (Some(_), None) => Reason::Disappeared,
        (Some(_), Some(_)) => Reason::Begun,
    };
    let mut delta = Delta { reason, ..made(desired) };
    // What was paused when a run took it away, which did not come to make it again.
    if taken.is_some_and(|taken| taken.paused) && !desired.attributes.contains_key(PAUSED) {
        pause(&mut delta);
    }
    delta
}

/// The delta of what is not there.
fn made(desired: &Desired) -> Delta {
    let something = desired.attributes.iter().filter(|(_, value)| **value != Value::Null);
    let changes =
        something.map(|(name, value)| Change { attribute: name.clone(), before: None, after: Some(value.clone()) });
    Delta {
        address: desired.address.clone(),
        on: desired.on.clone(),
        reason: Reason::Missing,
        changes: changes.collect(),
        desired: Some(desired.clone()),
        live: None,
    }
}

/// Whether a run that has begun to change a resource can have left it as it is: nothing of it is otherwise than it
/// was when it was applied, but what is as it is wanted. What else there is, somebody else made.
fn is_left_by_a_run(desired: &Desired, live: &Live, applied: &Applied, sides: &Sides<'_>) -> bool {
    let is_own = |name: &String| {
        let have = live_json(live, name);
        let wanted = desired.get(name).map_or(Json::Null, Value::to_json);
        have == *applied.attributes.get(name).unwrap_or(&Json::Null)
            || have == wanted
            || (sides.left_over)(&desired.address.kind, name)
    };
    applied.begun.is_some() && desired.attributes.keys().chain(applied.attributes.keys()).all(is_own)
}

/// The delta that removes a resource; of the attributes that can go one by one, those that `goes`
/// names.
fn remove(live: &Live, reason: Reason, goes: impl Fn(&str) -> bool) -> Delta {
    let gone = live.attributes.iter().filter(|(name, _)| goes(name));
    let changes =
        gone.map(|(name, value)| Change { attribute: name.clone(), before: Some(value.clone()), after: None });
    Delta {
        address: live.address.clone(),
        on: live.on.clone(),
        reason,
        changes: changes.collect(),
        desired: None,
        live: Some(live.clone()),
    }
}

fn update(desired: &Desired, live: &Live, sides: &Sides<'_>) -> Option<Delta> {
    let mut changes: Vec<Change> = Vec::new();
    for (name, wanted) in &desired.attributes {
        let have = live.get(name);
        // Explicitly nothing and not there are the same. What is made anew is written otherwise than it is live.
        let differs = have.unwrap_or(&Value::Null) != wanted;
        if differs && !have.is_some_and(|have| (sides.means_same)(desired, name, &have.to_json())) {
            changes.push(Change { attribute: name.clone(), before: have.cloned(), after: Some(wanted.clone()) });
        }
    }
    changes.extend(forgotten(desired, live, sides));
    // In the order in which whoever looks again has them.
    changes.sort_by(|one, other| one.attribute.cmp(&other.attribute));
    let applied = sides.applied.get(&desired.address);
    if changes.is_empty() {
        return None;
    }
    let is_drift = |change: &Change| applied.is_some_and(|applied| is_kept(desired, &change.attribute, applied, sides));
    let reason = match applied {
        Some(applied) if is_left_by_a_run(desired, live, applied, sides) => Reason::Begun,
        _ if changes.iter().all(is_drift) => Reason::Drifted,
        _ => Reason::Differs,
    };
    Some(Delta {
        address: desired.address.clone(),
        on: desired.on.clone(),
        reason,
        changes,
        desired: Some(desired.clone()),
        live: Some(live.clone()),
    })
}

/// Whether the policy still says what was applied, so that somebody else made a difference in it.
fn is_kept(desired: &Desired, attribute: &str, applied: &Applied, sides: &Sides<'_>) -> bool {
    if (sides.derived)(desired, applied, attribute) {
        return true;
    }
    let (Some(wanted), Some(then)) = (desired.get(attribute), applied.attributes.get(attribute)) else { return false };
    wanted.to_json() == *then || (sides.means_same)(desired, attribute, then)
}

/// The attribute of every job by which a policy pauses it.
pub const PAUSED: &str = "schedule.paused";

/// Where a resource stands between its three sides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All three agree.
    InSync,
    /// A job that the policy does not pause is paused.
    Paused,
    /// Live, unnamed, and not Chronoform's own.
    Unmanaged,
    /// The policy asks for something that was never applied, or that an apply began and did not end.
    Pending,
    /// The database was changed since it was last applied.
    Drifted,
    /// It was applied and is gone.
    Missing,
    /// Both the policy and the database were changed, differently.
    Conflict,
}

impl Status {
    /// Whether `drift` ends with differences because of it.
    pub const fn is_difference(self) -> bool {
        !matches!(self, Self::InSync | Self::Paused | Self::Unmanaged)
    }

    /// For people.
    pub const fn words(self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::Paused => "paused",
            Self::Unmanaged => "unmanaged",
            Self::Pending => "pending",
            Self::Drifted => "drifted",
            Self::Missing => "missing",
            Self::Conflict => "conflict",
        }
    }
}

/// One attribute on which the sides disagree; null where a side has none.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct DriftAttribute {
    /// The attribute's name.
    pub name: String,
    /// What it is called in reports, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// As last applied.
    pub applied: Json,
    /// As it is.
    pub live: Json,
    /// As the policy wants it.
    pub desired: Json,
}

impl DriftAttribute {
    /// What it is called in reports.
    pub fn words(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }
}

/// One resource's standing.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Drift {
    /// Which resource.
    #[serde(flatten)]
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
    /// Where it stands.
    pub status: Status,
    /// Whether it is there and is to go: what `apply` does about it is to remove it.
    #[serde(default, rename = "to_remove", skip_serializing_if = "std::ops::Not::not")]
    pub goes: bool,
    /// What disagrees.
    pub attributes: Vec<DriftAttribute>,
}

/// Every resource's standing: those named, those applied, and those unmanaged.
pub fn drift(sides: &Sides<'_>, diff: &Diff) -> Vec<Drift> {
    let unmanaged: BTreeSet<&Address> =
        diff.unmanaged.iter().chain(&diff.carried).chain(&diff.released).chain(&diff.elsewhere).collect();
    let mut addresses: BTreeSet<&Address> = sides.desired.keys().collect();
    addresses.extend(unmanaged.iter().copied());
    addresses
        .extend(sides.applied.values().filter(|applied| is_in_view(applied, sides)).map(|applied| &applied.address));
    let standing = |address: &Address| {
        let in_sync = diff.in_sync.binary_search(address).is_ok();
        let status = if unmanaged.contains(address) { Status::Unmanaged } else { status(address, in_sync, sides)? };
        let (live, desired) = (sides.live.get(address), sides.desired.get(address));
        let on = live.and_then(|live| live.on.clone()).or_else(|| desired.and_then(|desired| desired.on.clone()));
        let on = on.or_else(|| sides.applied.get(address).and_then(|applied| applied.on.clone()));
        let attributes = if status.is_difference() { disagreements(address, sides) } else { Vec::new() };
        let wanted = desired.is_some_and(|desired| desired.ensure == Ensure::Present);
        let goes = status == Status::Pending && live.is_some() && !wanted;
        Some(Drift { address: address.clone(), on, status, goes, attributes })
    };
    stack::spread(addresses.into_iter().collect(), standing).into_iter().flatten().collect()
}

/// Whether a remembered resource is of a relation that the policies at hand describe. With a
/// narrower choice of files, the others are nobody's business.
fn is_in_view(applied: &Applied, sides: &Sides<'_>) -> bool {
    match &applied.on {
        Some(on) => sides.managed.contains(on),
        None => sides.named.contains(&applied.address) || sides.containers.is_in_one(&applied.address),
    }
}

/// `in_sync` says whether it was found to be as it is wanted.
fn status(address: &Address, in_sync: bool, sides: &Sides<'_>) -> Option<Status> {
    let (live, applied) = (sides.live.get(address), sides.applied.get(address));
    let desired = sides.desired.get(address);
    let absent = desired.is_some_and(|desired| desired.ensure == Ensure::Absent);
    let wanted = desired.filter(|desired| desired.ensure == Ensure::Present);
    match (live, applied, wanted) {
        // Set aside while settling, with a diagnostic of its own.
        _ if desired.is_none() && sides.named.contains(address) => None,
        (None, None, None) | (Some(_), None, None) if !absent => None,
        (None, _, None) => Some(Status::InSync),
        (None, Some(applied), Some(_)) if !applied.begun.is_some_and(|begun| begun.away) => Some(Status::Missing),
        (None, _, Some(_)) | (Some(_), _, None) => Some(Status::Pending),
        (Some(live), _, Some(wanted)) if in_sync => Some(unchanged(live, wanted)),
        (Some(live), applied, Some(wanted)) => Some(compare(live, applied, wanted, sides)),
    }
}

fn unchanged(live: &Live, wanted: &Desired) -> Status {
    let pause_is_managed = wanted.attributes.contains_key(PAUSED);
    if live.paused && !pause_is_managed { Status::Paused } else { Status::InSync }
}

fn compare(live: &Live, applied: Option<&Applied>, wanted: &Desired, sides: &Sides<'_>) -> Status {
    // What is made anew with its relation is as it is wanted all the same.
    if update(wanted, live, sides).is_none() {
        return unchanged(live, wanted);
    }
    let Some(applied) = applied.filter(|applied| !is_left_by_a_run(wanted, live, applied, sides)) else {
        return Status::Pending;
    };
    let derived = |name: &str| (sides.derived)(wanted, applied, name);
    let written = |name: &&String| !derived(name);
    let moved = |(name, value): (&String, &Json)| !derived(name) && live_json(live, name) != *value;
    let derived_moved =
        |(name, value): (&String, &Value)| derived(name) && live.get(name).unwrap_or(&Value::Null) != value;
    let live_moved = applied.attributes.iter().any(moved) || wanted.attributes.iter().any(derived_moved);
    let kept = |name: &String| is_kept(wanted, name, applied, sides);
    let policy_moved = wanted.attributes.keys().filter(written).count()
        != applied.attributes.keys().filter(written).count()
        || !wanted.attributes.keys().all(kept);
    match (live_moved, policy_moved) {
        (true, true) => Status::Conflict,
        (true, false) => Status::Drifted,
        (false, _) => Status::Pending,
    }
}

fn live_json(live: &Live, attribute: &str) -> Json {
    live.get(attribute).map_or(Json::Null, Value::to_json)
}

fn disagreements(address: &Address, sides: &Sides<'_>) -> Vec<DriftAttribute> {
    let (live, applied) = (sides.live.get(address), sides.applied.get(address));
    let desired = sides.desired.get(address).filter(|desired| desired.ensure == Ensure::Present);
    let mut names: BTreeSet<&String> = BTreeSet::new();
    names.extend(desired.iter().flat_map(|desired| desired.attributes.keys()));
    names.extend(applied.iter().flat_map(|applied| applied.attributes.keys()));
    let line = |name: &String| DriftAttribute {
        name: name.clone(),
        label: (sides.label)(&address.kind, name).map(str::to_owned),
        applied: applied.and_then(|applied| applied.attributes.get(name)).cloned().unwrap_or(Json::Null),
        live: live.map_or(Json::Null, |live| live_json(live, name)),
        desired: desired.and_then(|desired| desired.get(name)).map_or(Json::Null, Value::to_json),
    };
    let differs = |line: &DriftAttribute| line.live != line.desired || (applied.is_some() && line.applied != line.live);
    names.into_iter().map(line).filter(differs).collect()
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
