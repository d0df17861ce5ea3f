//! A look in the middle of a run, before an action that takes something away: is it still as the plan saw it?
//! Others go on working while a run waits for a lock or is busy with an earlier action, and what they do then
//! is not to be undone unseen.

use std::collections::BTreeSet;

use crate::apply::gate::{
    Stale, around_of, deltas_of, in_sync, makes, names_around, seen_of, stale_by, told, unwanted_of, wanted,
};
use crate::core::{Action, Address, Desired, Fingerprint, Hazard, Op, QualifiedName};
use crate::diag::{Diagnostic, Failure};
use crate::diff::Diff;
use crate::kinds::{Kind, by_id};
use crate::pg::Session;
use crate::plan::{Adopt, Among, Plan, action_for, make_together, relations};
use crate::render::Renderer;
use crate::snapshot::{self, Outside};

/// Whether an action takes away what somebody may have changed. What operations do is looked at where they do it.
pub(super) fn is_to_be_seen(plan: &Plan, action: &Action) -> bool {
    let takes = matches!(action.op, Op::Replace | Op::Remove) || action.hazards.contains(&Hazard::DeletesData);
    takes && plan.operations.is_empty()
}

/// Observes again what an action is about and all that goes with it, and compares as it was done before the first
/// statement. What the actions before it have done is no change.
///
/// # Errors
/// A refusal that names what is not as planned, or a lost connection.
pub(super) fn look_again(
    session: &mut Session,
    plan: &Plan,
    index: usize,
    outside: &mut dyn Outside,
) -> Result<(), Failure> {
    let Some((before, rest)) = plan.actions.split_at_checked(index) else { return Ok(()) };
    let Some((action, later)) = rest.split_first() else { return Ok(()) };
    let gone: BTreeSet<&Address> = before.iter().flat_map(|action| &action.takes).map(|taken| &taken.address).collect();
    // It is made again, and what it takes away is what this run has made.
    if gone.contains(&action.address) {
        return Ok(());
    }
    // What is on no relation, such as a grant, an earlier one may have changed by itself: what default privileges
    // gave goes with them.
    if action.on.is_none() && before.iter().any(|earlier| earlier.on.is_none()) {
        return Ok(());
    }
    // So it has where it is about a relation, among others, that is new or another one since, or gone.
    let anew = before.iter().filter(|earlier| matches!(earlier.op, Op::Replace | Op::Remove) || makes(earlier));
    let anew: BTreeSet<QualifiedName> = anew.filter_map(|earlier| earlier.on.clone()).collect();
    let is_about = |address: &Address| by_id(&address.kind).is_some_and(|kind| kind.is_about(address, &anew));
    if action.on.is_none() && is_about(&action.address) {
        return Ok(());
    }
    let touched = |on: &QualifiedName| {
        let goes = |other: &&Action| gone.contains(&other.address);
        before.iter().chain(rest.iter().filter(goes)).any(|other| other.on.as_ref() == Some(on))
    };
    let part = part_of(plan, before, action, later);
    let own = |address: &Address| {
        let changes = |kind: &dyn Kind| before.iter().any(|earlier| kind.is_changed_by(address, &earlier.address));
        is_about(address) || by_id(&address.kind).is_some_and(changes)
    };
    let along = action.takes.iter().map(|taken| &taken.address).filter(|it| !gone.contains(it) && !own(it));
    let seen: BTreeSet<&Address> = along.chain([&action.address]).collect();
    let compared = compare(session, (&part, action), (&gone, &seen), touched, outside);
    if compared.is_err() {
        // What fails inside the snapshot leaves its transaction open; a connection that is gone has none.
        let _ = session.batch("ROLLBACK");
    }
    let refusals = compared?;
    if refusals.is_empty() { Ok(()) } else { Err(Failure(refusals)) }
}

/// What is not as planned.
fn compare(
    session: &mut Session,
    (part, action): (&Plan, &Action),
    (gone, seen): (&BTreeSet<&Address>, &BTreeSet<&Address>),
    touched: impl Fn(&QualifiedName) -> bool,
    outside: &mut dyn Outside,
) -> Result<Vec<Diagnostic>, Failure> {
    let server = snapshot::open(session)?;
    let mut desired = around_of(part);
    let now = snapshot::take(session, server, &names_around(part), (&desired, &seen_of(part)), outside)?;
    desired.extend(unwanted_of(part));
    let view = now.view(&desired);
    let diff = Diff { deltas: deltas_of(part, &now), ..Diff::default() };
    let weights = snapshot::weigh(session, &diff, &view)?;
    snapshot::finish(session)?;

    let changed = |other: &&Action| {
        seen.contains(&other.address) && Fingerprint::of_live(now.live.get(&other.address)) != other.fingerprint
    };
    let changed = part.actions.iter().filter(changed);
    let stale: Vec<Stale> =
        changed.map(|other| Stale::new(&other.address, "was changed after the plan was made")).collect();
    if !stale.is_empty() {
        return Ok(told(&stale));
    }
    // How much is in it and what it takes along is then this run's own doing.
    if action.on.as_ref().is_some_and(touched) || action.takes.iter().any(|taken| gone.contains(&taken.address)) {
        return Ok(Vec::new());
    }
    let mut renderer = Renderer::new();
    let (mut again, mut refusals) = (Vec::new(), Vec::new());
    for delta in &diff.deltas {
        let rows = weights.get(&delta.address.kind).map(Vec::as_slice).unwrap_or_default();
        let mut found = Vec::new();
        again.push(action_for(delta, Among { deltas: &diff.deltas, weights: rows }, &view, &mut renderer, &mut found)?);
        if delta.address == action.address {
            refusals.extend(found.into_iter().filter(Diagnostic::is_error));
        }
    }
    make_together(&mut again);
    let again = again.into_iter().find(|again| again.address == action.address);
    let stale = match again {
        Some(again) if again.op == Op::Blocked => Some(Stale::new(&action.address, "cannot be done any more")),
        Some(again) => stale_by(action, again),
        None => None,
    };
    refusals.extend(told(&stale.into_iter().collect::<Vec<_>>()));
    Ok(refusals)
}

/// The action with those of the later ones that are about the same relations, in the plan's order. What was done
/// before it is in sync by now, and around it.
fn part_of(plan: &Plan, before: &[Action], action: &Action, later: &[Action]) -> Plan {
    let done = before.iter().filter(|done| done.op != Op::Remove).map(|done| Adopt {
        address: done.address.clone(),
        on: done.on.clone(),
        desired: done.desired.clone(),
        new: false,
        fingerprint: done.fingerprint.clone(),
        source: None,
    });
    let of = |action: &Action| about(wanted(&action.address, action.on.as_ref(), &action.desired, false).1);
    let beside = plan.around.iter().chain(&plan.beside).cloned();
    let mut around: Vec<(Adopt, BTreeSet<QualifiedName>)> = Vec::new();
    for same in done.chain(beside) {
        let of = about(in_sync(&same).1);
        around.push((same, of));
    }
    let later: Vec<(&Action, BTreeSet<QualifiedName>)> = later.iter().map(|other| (other, of(other))).collect();
    let mut near = of(action);
    // What goes with it, and by now is to read something else.
    let goes =
        |other: &&(&Action, BTreeSet<QualifiedName>)| action.takes.iter().any(|taken| taken.address == other.0.address);
    near.extend(later.iter().filter(goes).flat_map(|(_, of)| of.iter().cloned()));
    loop {
        let all = around.iter().map(|(_, of)| of).chain(later.iter().map(|(_, of)| of));
        let more: BTreeSet<QualifiedName> = all
            .filter(|of| of.iter().any(|name| near.contains(name)))
            .flatten()
            .filter(|name| !near.contains(*name))
            .cloned()
            .collect();
        if more.is_empty() {
            break;
        }
        near.extend(more);
    }
    // What is about no relation may bear on any.
    let is_near = |of: &BTreeSet<QualifiedName>| of.is_empty() || of.iter().any(|name| near.contains(name));
    let later = later.into_iter().filter(|(_, of)| is_near(of)).map(|(other, _)| other);
    let actions: Vec<Action> = std::iter::once(action).chain(later).cloned().collect();
    plan.part(actions, around.into_iter().filter(|(_, of)| is_near(of)).map(|(same, _)| same).collect())
}

fn about(desired: Desired) -> BTreeSet<QualifiedName> {
    relations(&desired, None)
}
