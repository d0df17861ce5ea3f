//! After the last statement: is everything now as the plan wanted it?

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::apply::{ActionOutcome, Ready, Report};
use crate::core::{Action, Address, Containers, Desired, Op, Whence};
use crate::diag::{Diagnostic, Failure, code};
use crate::diff::{self, Sides};
use crate::plan::Plan;
use crate::snapshot::{self, Outside};

/// What a second look shows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Verified {
    /// Every resource that was changed, as the server now shows what was wanted of it.
    pub settled: BTreeMap<Address, Desired>,
    /// A complaint for each that is not as it was wanted, and a note where that is as it should be.
    pub differing: Vec<Diagnostic>,
}

/// How long is waited for what comes a moment after its statement, and how long between two looks.
const LATEST: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Observes again all that the run's finished actions touched; as long as nothing differs but what may
/// come late, again and again for a while.
///
/// # Errors
/// A lost connection.
pub fn verify(
    ready: &mut Ready<'_>,
    plan: &Plan,
    report: &Report,
    outside: &mut dyn Outside,
) -> Result<Verified, Failure> {
    let done = plan.actions.iter().zip(&report.outcomes).filter(|(_, outcome)| **outcome == ActionOutcome::Done);
    let done: Vec<_> = done.map(|(action, _)| action).collect();
    let started = Instant::now();
    loop {
        let (found, differing) = look(ready, plan, &done, outside)?;
        let late = |address: &&Address| crate::kinds::by_id(&address.kind).is_some_and(|kind| kind.comes_late(address));
        if differing.is_empty() || !differing.iter().all(late) || started.elapsed() > LATEST {
            return Ok(found);
        }
        std::thread::sleep(BETWEEN_LOOKS);
    }
}

/// One look: what is as it was wanted, complaints about the rest, and which that are.
fn look<'a>(
    ready: &mut Ready<'_>,
    plan: &Plan,
    done: &[&'a Action],
    outside: &mut dyn Outside,
) -> Result<(Verified, Vec<&'a Address>), Failure> {
    let wanted: BTreeMap<Address, Desired> = super::gate::around_of(plan);
    let session = ready.locked.session();
    let server = snapshot::open(session)?;
    let sides = (&wanted, &super::gate::seen_of(plan));
    let now = snapshot::take(session, server, &super::gate::names_around(plan), sides, outside)?;
    snapshot::finish(session)?;
    let mut found = Verified::default();
    let settled = crate::kinds::settle(&now.view(&wanted), &mut found.differing);
    let named: BTreeSet<Address> = wanted.keys().cloned().collect();
    let sides = Sides {
        desired: &settled,
        live: &now.live,
        applied: &BTreeMap::new(),
        named: &named,
        managed: &BTreeSet::new(),
        containers: &Containers::default(),
        forgets: &|_, _| false,
        means_same: &|_, _, _| false,
        derived: &|_, _, _| false,
        left_over: &|_, _| false,
        label: &|_, _| None,
        permanent: &|_| false,
        whence: &|_| Whence::Given,
        takes_along: &|_| false,
        goes_with: &|_, _, _| false,
        left_of: &|_, _| None,
        makes: &|_| false,
        joined_by: &|_, _| None,
    };
    let differing: BTreeSet<Address> = diff::diff(&sides).deltas.into_iter().map(|delta| delta.address).collect();
    let mut unlike = Vec::new();
    for action in done {
        let left = || crate::kinds::by_id(&action.address.kind)?.left(&action.steps, now.live.get(&action.address)?);
        if let Some(said) = differing.contains(&action.address).then(left).flatten() {
            found.differing.push(said);
            continue;
        }
        let still_there = action.op == Op::Remove && is_left(&now, action);
        if still_there || differing.contains(&action.address) {
            let named = action.address.told(action.on.as_ref());
            let message = format!("{named} is not as the policy wants it, although every statement succeeded");
            let help = "run `chronoform plan` to see what differs; somebody else may be changing it too";
            found.differing.push(Diagnostic::error(&code::NOT_CONVERGED, message).help(help));
            unlike.push(&action.address);
        } else if let Some(desired) = settled.get(&action.address) {
            found.settled.insert(action.address.clone(), desired.clone());
        }
    }
    Ok((found, unlike))
}

/// Whether a removed resource is still there: any of the attributes that were to go, that is, and
/// not only what the server makes itself.
fn is_left(now: &snapshot::Snapshot, action: &Action) -> bool {
    let Some(live) = now.live.get(&action.address).filter(|live| !live.system) else { return false };
    action.attributes.is_empty() || action.attributes.iter().any(|attribute| live.get(&attribute.name).is_some())
}
