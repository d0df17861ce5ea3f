//! What goes with a relation that is made anew: each is made again by an action of its own, but for the jobs
//! that are paused. Those are made in the transaction that makes their relation, so that there is no moment at
//! which the server does not know that they are paused: a run that is stopped then needs no ledger to know it.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::{Action, Address, Delta, Op, QualifiedName, Reason, Step, Taken, Value};
use crate::diag::{Diagnostic, code};
use crate::diff::PAUSED;
use crate::kinds::{After, Kind, View, by_id};

/// What goes with the relation that a delta makes anew, and with those that go with it in turn.
pub fn taken(kind: &dyn Kind, delta: &Delta, deltas: &[Delta], view: &View<'_>) -> Vec<Taken> {
    let Some(on) = delta.on.as_ref().filter(|_| kind.takes_along(delta)) else { return Vec::new() };
    let mut gone = BTreeSet::from([on.clone()]);
    // Of those that go, what the same transaction makes again.
    let mut made = gone.clone();
    let mut found: BTreeMap<&Address, (Taken, &Delta)> = BTreeMap::new();
    loop {
        let before = found.len();
        for other in deltas.iter().filter(|other| other.reason == Reason::Remade) {
            let (Some(desired), Some(live)) = (&other.desired, view.live.get(&other.address)) else { continue };
            let (false, Some(kind)) = (found.contains_key(&other.address), by_id(&other.address.kind)) else {
                continue;
            };
            let is_made_from = kind.goes_with(desired, live, &gone);
            if !is_made_from && !other.on.as_ref().is_some_and(|on| gone.contains(on)) {
                continue;
            }
            let is_made_along = kind.is_made_along(other, view);
            if is_made_from {
                gone.extend(other.on.clone());
                made.extend(other.on.clone().filter(|_| is_made_along));
            }
            let paused = desired.get(PAUSED) == Some(&Value::Bool(true));
            let taken = Taken { address: other.address.clone(), paused, away: !is_made_along, within: false };
            found.insert(&other.address, (taken, other));
        }
        if found.len() == before {
            break;
        }
    }
    let within = made_within(&found, &made, deltas, view);
    let with = |(taken, _): (Taken, &Delta)| {
        let within = within.contains(&taken.address);
        Taken { away: taken.away && !within, within, ..taken }
    };
    found.into_values().map(with).collect()
}

/// The paused jobs that can be made in the transaction that makes these relations: not one that the server takes
/// only after another, which is not paused and so is to wait until its relation is filled.
fn made_within(
    found: &BTreeMap<&Address, (Taken, &Delta)>,
    made: &BTreeSet<QualifiedName>,
    deltas: &[Delta],
    view: &View<'_>,
) -> BTreeSet<Address> {
    let is_there = |other: &Delta| other.on.as_ref().is_some_and(|on| made.contains(on));
    let jobs = found.values().filter(|(taken, other)| taken.paused && is_there(other));
    let mut within: BTreeSet<Address> = jobs.map(|(taken, _)| taken.address.clone()).collect();
    loop {
        let waits = |address: &&Address| {
            let mut needs = found.get(*address).into_iter().flat_map(|(_, delta)| needed(delta, view));
            needs.any(|need| match found.get(&need) {
                Some((need, _)) => need.away && !within.contains(&need.address),
                None => deltas.iter().any(|delta| delta.address == need && !delta.is_remove()),
            })
        };
        let waiting: Vec<Address> = within.iter().filter(waits).cloned().collect();
        if waiting.is_empty() {
            return within;
        }
        within.retain(|address| !waiting.contains(address));
    }
}

/// The resources that the kind of a delta asks for before it.
fn needed(delta: &Delta, view: &View<'_>) -> Vec<Address> {
    let after = by_id(&delta.address.kind).map(|kind| kind.requires(delta, view)).unwrap_or_default();
    let resource = |after| if let After::Resource(address) = after { Some(address) } else { None };
    after.into_iter().filter_map(resource).collect()
}

/// Jobs that somebody has paused and that come back only in a later transaction than the one that takes them
/// away: that they are to be paused, nothing but the ledger would know meanwhile. For one that deletes that is an
/// error.
pub fn unkept_pauses(delta: &Delta, taken: &[Taken], deltas: &[Delta], view: &View<'_>) -> Vec<Diagnostic> {
    let unkept = |other: &&Delta| taken.iter().any(|it| it.address == other.address && it.paused && it.away);
    let mut found = Vec::new();
    for other in deltas.iter().filter(unkept) {
        let (Some(job), Some(kind)) = (view.desired.get(&other.address), by_id(&other.address.kind)) else { continue };
        if job.get(PAUSED).is_some() {
            continue;
        }
        let named = job.address.told(job.on.as_ref());
        let message = format!("{named} was paused by hand, and is gone with {} for a while", delta.address);
        let diagnostic = match kind.comes_at_the_end(other) {
            true => Diagnostic::error(&code::PAUSE_UNKEPT, message),
            false => Diagnostic::warning(&code::PAUSE_UNKEPT, message),
        };
        found.push(diagnostic.at(&job.place).why(WHY).help(HELP));
    }
    found
}

/// What comes back only in a later transaction than the one that takes it away, and is then to be filled because it
/// was there: that it was, nothing but the ledger would know meanwhile.
pub fn unkept_fills(delta: &Delta, taken: &[Taken], deltas: &[Delta], view: &View<'_>) -> Vec<Diagnostic> {
    let unkept = |other: &&Delta| taken.iter().any(|it| it.address == other.address && it.away);
    let mut found = Vec::new();
    for other in deltas.iter().filter(unkept) {
        let Some(kind) = by_id(&other.address.kind).filter(|kind| kind.fills_what_was_there(other, view)) else {
            continue;
        };
        let message =
            format!("{} is to be filled again, and is gone with {} for a while", other.address, delta.address);
        let why = format!(
            "it is made again only after something else: were apply stopped in between, and its ledger lost, the next \
             one would make the {} as one that is new, and leave it empty",
            kind.title()
        );
        let help = format!(
            "write `with_data: true` in its document; or change {} first, apply, and then what this reads",
            delta.address
        );
        let place = other.desired.as_ref().map(|desired| desired.place.clone());
        let error = Diagnostic::error(&code::FILL_UNKEPT, message).why(why).help(help);
        found.push(place.map_or(error.clone(), |place| error.at(&place)));
    }
    found
}

const WHY: &str = "it is made again only after something else: were apply stopped in between, and its ledger lost, the \
                   next one would make it as its policy says, running";
const HELP: &str = "write `schedule: {paused: true}` in its document until it may run again";

/// Puts the statements of each paused job that goes with a relation into the transaction that makes this anew.
/// Its own action has nothing left to send.
pub fn make_together(actions: &mut [Action]) {
    let places: BTreeMap<Address, usize> =
        actions.iter().enumerate().map(|(at, action)| (action.address.clone(), at)).collect();
    for at in 0..actions.len() {
        let Some(action) = actions.get(at).filter(|action| action.op == Op::Replace) else { continue };
        let within = action.takes.iter().filter(|taken| taken.within);
        // In the order of the plan, which is the one that the server asks for.
        let jobs: BTreeSet<usize> = within.filter_map(|taken| places.get(&taken.address).copied()).collect();
        let mut moved: Vec<Step> = Vec::new();
        let mut named: Vec<String> = Vec::new();
        for job in jobs {
            let Some(job) = actions.get_mut(job) else { continue };
            named.push(job.address.told(job.on.as_ref()));
            moved.append(&mut job.steps);
        }
        if let Some(action) = actions.get_mut(at).filter(|_| !moved.is_empty()) {
            let together = |step: &Step| step.transactional && !step.separate && step.task.is_none();
            let end = action.steps.iter().position(|step| !together(step)).unwrap_or(action.steps.len());
            action.steps.splice(end..end, moved);
            let (is, one) = if named.len() == 1 { ("is", "a job that is") } else { ("are", "jobs that are") };
            let note = format!("{} {is} made again in the same transaction, as {one} paused", named.join(", "));
            action.impact.get_or_insert_default().notes.push(note);
        }
    }
}
