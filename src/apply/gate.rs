//! The last look before anything is done: is the plan allowed, for this database, and still true?

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::Locked;
use crate::core::{
    Action, Address, Applied, Change, Delta, Desired, Ensure, Fingerprint, Hazard, Named, Op, Place, QualifiedName,
    Reason, Server, Step, Value,
};
use crate::diag::{Diagnostic, Failure, Severity, code};
use crate::diff::Diff;
use crate::guard;
use crate::kinds::{self, View};
use crate::plan::{Adopt, Among, Plan, action_for, make_together, relations};
use crate::render::Renderer;
use crate::snapshot::{self, Names, Outside, Snapshot};

/// A session that may run one plan: locked, and everything that the plan touches observed again.
pub struct Ready<'a> {
    pub(super) locked: Locked<'a>,
    pub(super) single_session: bool,
    pub(super) outside: &'a mut dyn Outside,
}

/// Whether a plan may be applied at all: nothing in it is blocked, no error kept anything out of it,
/// and each of its hazards is allowed by name. Needs no connection.
///
/// # Errors
/// A refusal that names what is missing.
pub fn permit(plan: &Plan, allowed: &[Hazard]) -> Result<(), Failure> {
    let mut refusals = Vec::new();
    for action in plan.actions.iter().filter(|action| action.op == Op::Blocked) {
        let message = format!("{} must change and cannot", action.address.told(action.on.as_ref()));
        let help = "the plan says why; mend the policy, or do by hand what it asks for";
        refusals.push(Diagnostic::error(&code::PLAN_BLOCKED, message).help(help));
    }
    // What an error kept out of the plan is missing from it, so that it is not what was asked for.
    let errors = plan.diagnostics.iter().filter(|message| message.severity == Severity::Error.as_str());
    if refusals.is_empty() && !plan.is_empty() {
        refusals.extend(errors.map(|error| {
            let message = format!("the plan was made with an error: {}", error.message);
            Diagnostic::error(&code::PLAN_BLOCKED, message).help("mend the policy, and make the plan again")
        }));
    }
    for judged in plan.guardrails.iter().filter(|judged| judged.refuses()) {
        let subjects: Vec<&str> = judged.failed.iter().map(|failed| failed.subject.as_str()).collect();
        let message = format!(
            "the guardrail `{}` does not hold for {}: {}",
            judged.rule.name,
            subjects.join(", "),
            judged.rule.message
        );
        let help = "change the policy that it speaks of, or the guardrail, in a reviewed change of its own";
        refusals.push(
            Diagnostic::error(&code::GUARDRAIL, message).why("no command-line option overrides a guardrail").help(help),
        );
    }
    let missing: Vec<Hazard> = plan.hazards().into_iter().filter(|hazard| !allowed.contains(hazard)).collect();
    for hazard in &missing {
        let actions = plan.actions.iter().filter(|action| action.hazards.contains(hazard));
        let named: Vec<String> = actions.map(|action| action.address.told(action.on.as_ref())).collect();
        let message = format!("the plan {}, which was not allowed: {}", hazard.meaning(), named.join(", "));
        let help = format!("read the plan, and add `--allow {hazard}` if that is meant");
        refusals.push(Diagnostic::error(&code::HAZARD_NOT_ALLOWED, message).help(help));
    }
    // All of them in one line, once more than one is said.
    if missing.len() > 1
        && let Some(last) = refusals.last_mut()
    {
        let all: Vec<String> = missing.iter().map(|hazard| format!("--allow {hazard}")).collect();
        last.help = Some(format!("read the plan; where all of it is meant, add `{}`", all.join(" ")));
    }
    if refusals.is_empty() { Ok(()) } else { Err(Failure(refusals)) }
}

/// Observes again everything that the plan touches, makes its actions anew from what is there now,
/// and compares. The guardrails that the plan was made with are asked again, and so are those of the
/// policies as they are now.
///
/// # Errors
/// A refusal: another database, a server that cannot be written to, a plan that is no longer true,
/// naming what changed, or a guardrail that does not hold.
pub fn gate<'a>(
    mut locked: Locked<'a>,
    plan: &Plan,
    standing: &guard::Standing,
    outside: &'a mut dyn Outside,
) -> Result<Ready<'a>, Failure> {
    let session = locked.session();
    let server = snapshot::open(session)?;
    check_server(plan, &server)?;
    let mut desired = around_of(plan);
    let now = snapshot::take(session, server, &names_around(plan), (&desired, &seen_of(plan)), outside)?;
    desired.extend(unwanted_of(plan));
    let view = now.view(&desired);
    let changed = changed_since(plan, &now);
    let changed_now: Vec<Stale> =
        changed.iter().map(|address| Stale::new(address, "was changed after the plan was made")).collect();
    let stale = [told(&changed_now), no_longer_fitting(plan, &changed, &view)].concat();
    if !stale.is_empty() {
        return Err(Failure(stale));
    }
    let diff = Diff { deltas: deltas_of(plan, &now), ..Diff::default() };
    let weights = snapshot::weigh(session, &diff, &view)?;
    let measured = guard::needs_bytes(&plan.guardrails) || standing.needs_bytes();
    let sizes = if measured { snapshot::sizes(session, &view)? } else { guard::Sizes::new() };
    snapshot::finish(session)?;
    let mut refusals = Vec::new();
    let world = guard::World { view, sizes: &sizes, actions: &plan.actions };
    guard::recheck(&plan.guardrails, &plan.guarded, world, &mut refusals);
    let mut added = Vec::new();
    standing.ask(&desired_of(plan), world, &mut added);
    // One that the plan was made with and that is still there says the same twice.
    added.retain(|now| !refusals.iter().any(|then| then.code == now.code && then.message == now.message));
    refusals.append(&mut added);
    refusals.retain(Diagnostic::is_error);
    let deletes = plan.actions.iter().filter(|action| action.hazards.contains(&Hazard::DeletesData));
    refusals.extend(deletes.filter(|action| standing.protects(action)).map(protected));
    let mut renderer = Renderer::new();
    let mut stale = Vec::new();
    let mut again = Vec::new();
    for delta in &diff.deltas {
        let rows = weights.get(&delta.address.kind).map(Vec::as_slice).unwrap_or_default();
        let mut found = Vec::new();
        let among = Among { deltas: &diff.deltas, weights: rows };
        again.push(action_for(delta, among, &view, &mut renderer, &mut found)?);
        refusals.extend(found.into_iter().filter(Diagnostic::is_error));
    }
    make_together(&mut again);
    // What is refused is not the same either, and that has been said.
    let both = plan.actions.iter().zip(again).filter(|(_, again)| again.op != Op::Blocked);
    stale.extend(both.filter_map(|(planned, again)| stale_by(planned, again)));
    refusals.extend(told(&stale));
    let single_session = now.server.single_session;
    if refusals.is_empty() { Ok(Ready { locked, single_session, outside }) } else { Err(Failure(refusals)) }
}

/// Everything that a plan speaks of.
fn names_of(plan: &Plan) -> Names {
    let mut names = Names::default();
    for action in &plan.actions {
        names.add(&action.address, action.on.as_ref());
    }
    for desired in desired_of(plan).values() {
        names.relations.extend(kinds::reads(desired));
    }
    for adopted in &plan.adopt {
        names.add(&adopted.address, adopted.on.as_ref());
    }
    names
}

/// Everything that decides what its actions do.
pub(super) fn names_around(plan: &Plan) -> Names {
    let mut names = names_of(plan);
    for around in &plan.around {
        names.add(&around.address, around.on.as_ref());
    }
    for desired in around_of(plan).values() {
        names.relations.extend(relations(desired, None));
    }
    names
}

fn check_server(plan: &Plan, server: &Server) -> Result<(), Failure> {
    if !plan.target.is_same_database(server) {
        let message = format!(
            "the plan is for database `{}` of cluster {} (OID {}), and this is `{}` of cluster {} (OID {})",
            plan.target.database,
            plan.target.system_identifier,
            plan.target.database_oid,
            server.database,
            server.system_identifier,
            server.database_oid
        );
        let help = "connect to the database that the plan was made for, or make a plan for this one";
        return Err(Diagnostic::error(&code::WRONG_DATABASE, message).help(help).into());
    }
    if server.read_only && !plan.actions.is_empty() {
        let message = "the server cannot be written to: it is a standby, or `default_transaction_read_only` is on";
        let help = "connect to the primary";
        return Err(Diagnostic::error(&code::SERVER_READ_ONLY, message).help(help).into());
    }
    Ok(())
}

/// What is not as the plan saw it.
fn changed_since<'a>(plan: &'a Plan, now: &Snapshot) -> BTreeSet<&'a Address> {
    let changed = |action: &&Action| Fingerprint::of_live(now.live.get(&action.address)) != action.fingerprint;
    let acted = plan.actions.iter().filter(changed).map(|action| &action.address);
    let moved = |adopt: &&Adopt| Fingerprint::of_live(now.live.get(&adopt.address)) != adopt.fingerprint;
    let adopted = plan.adopt.iter().filter(moved).map(|adopt| &adopt.address);
    acted.chain(adopted).collect()
}

/// What the server would no longer take: the table may have lost a column, or be another one now. What is
/// known to have been changed has been said.
fn no_longer_fitting(plan: &Plan, said: &BTreeSet<&Address>, view: &View<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let settled = crate::kinds::settle(view, &mut found);
    let unfit = |error: Diagnostic| {
        let message = format!("the database is no longer as the plan saw it: {}", error.message);
        Diagnostic::error(&code::PLAN_STALE, message).help("make the plan again, and read what is different")
    };
    let refusals: Vec<Diagnostic> = found.into_iter().filter(Diagnostic::is_error).map(unfit).collect();
    if !refusals.is_empty() {
        return refusals;
    }
    let acted = plan.actions.iter().filter(|action| action.op != Op::Remove && !said.contains(&action.address));
    let differs = |action: &&Action| settled.get(&action.address).is_none_or(|now| now.attributes != action.desired);
    let otherwise = |action: &Action| Stale::new(&action.address, "has a policy that the server reads otherwise now");
    told(&acted.filter(differs).map(otherwise).collect::<Vec<Stale>>())
}

/// What a plan says of a resource and is no longer so.
pub(super) struct Stale {
    address: Address,
    /// What it now is or was, after "it".
    why: String,
}

impl Stale {
    pub(super) fn new(address: &Address, why: impl Into<String>) -> Self {
        Self { address: address.clone(), why: why.into() }
    }
}

/// How many resources one message names.
const NAMED: usize = 5;

/// One message for all that are stale for the same reason: after another apply, that may be every one.
pub(super) fn told(stale: &[Stale]) -> Vec<Diagnostic> {
    let mut by_reason: Vec<(&str, Vec<&Address>)> = Vec::new();
    for Stale { address, why } in stale {
        match by_reason.iter_mut().find(|(known, _)| known == why) {
            Some((_, addresses)) => addresses.push(address),
            None => by_reason.push((why, vec![address])),
        }
    }
    let message = |(why, addresses): (&str, Vec<&Address>)| {
        let named: Vec<String> = addresses.iter().take(NAMED).map(ToString::to_string).collect();
        let named = named.join(", ");
        let message = match addresses.len() {
            1 => format!("{named} is no longer as the plan saw it: it {why}"),
            count if count <= NAMED => format!("{named} are no longer as the plan saw them: each {why}"),
            count => {
                format!("{named} and {} more are no longer as the plan saw them: each {why}", count - NAMED)
            }
        };
        Diagnostic::error(&code::PLAN_STALE, message).help("make the plan again, and read what is different")
    };
    by_reason.into_iter().map(message).collect()
}

fn protected(action: &Action) -> Diagnostic {
    let what = action.address.told(action.on.as_ref());
    Diagnostic::error(&code::PROTECTED, format!("{what} would delete data, and its policy says `protect: true` by now"))
        .why("the plan was made before that, and no command line overrides it")
        .help("make the plan again from the policies as they are")
}

/// The desired side as the plan carries it.
fn desired_of(plan: &Plan) -> BTreeMap<Address, Desired> {
    let acted = plan.actions.iter().filter(|action| action.op != Op::Remove);
    let acted = acted.map(|action| wanted(&action.address, action.on.as_ref(), &action.desired, action.protect));
    plan.adopt.iter().chain(&plan.beside).map(in_sync).chain(acted).collect()
}

/// The desired side that decides what its actions do.
pub(super) fn around_of(plan: &Plan) -> BTreeMap<Address, Desired> {
    plan.around.iter().map(in_sync).chain(desired_of(plan)).collect()
}

pub(super) fn in_sync(same: &Adopt) -> (Address, Desired) {
    wanted(&same.address, same.on.as_ref(), &same.desired, false)
}

pub(super) fn wanted(
    address: &Address,
    on: Option<&QualifiedName>,
    attributes: &Named<Value>,
    protect: bool,
) -> (Address, Desired) {
    let mut desired = Desired::new(address.clone(), on.cloned(), nowhere());
    desired.attributes = attributes.clone();
    desired.protect = protect;
    (address.clone(), desired)
}

/// What the plan saw of each live resource that it changes, by which one without a name of its own is
/// found again.
pub(super) fn seen_of(plan: &Plan) -> BTreeMap<Address, Applied> {
    // What goes with what it is on, to be made again, is there as it is wanted.
    let remade = |action: &Action| action.op == Op::Create && action.reason == Reason::Remade;
    let changed = plan.actions.iter().filter(|action| action.op != Op::Create || remade(action));
    let seen = changed.map(|action| {
        let kept = action.desired.iter().map(|(name, value)| (name.clone(), value.to_json()));
        let before = action
            .attributes
            .iter()
            .filter(|_| !remade(action))
            .map(|change| (change.name.clone(), change.before.clone()));
        let (address, on) = (action.address.clone(), action.on.clone());
        Applied {
            address,
            on,
            attributes: kept.chain(before).collect(),
            adopted: false,
            source: None,
            at: None,
            begun: None,
        }
    });
    seen.map(|applied| (applied.address.clone(), applied)).collect()
}

/// What the plan removes because its policies say `ensure: absent`, so that another action may
/// count on it.
pub(super) fn unwanted_of(plan: &Plan) -> impl Iterator<Item = (Address, Desired)> {
    let removed = plan.actions.iter().filter(|action| action.op == Op::Remove && action.reason == Reason::Unwanted);
    removed.map(|action| {
        let mut desired = Desired::new(action.address.clone(), action.on.clone(), nowhere());
        desired.ensure = Ensure::Absent;
        (action.address.clone(), desired)
    })
}

fn nowhere() -> Place {
    Place { file: "plan".into(), line: 1, column: 1, start: 0, end: 0, via: None }
}

/// The deltas that a plan's actions close, from what is live now.
pub(super) fn deltas_of(plan: &Plan, now: &Snapshot) -> Vec<Delta> {
    let gone = made_anew(&plan.actions);
    let new = plan.actions.iter().filter(|action| makes(action)).filter_map(|action| action.on.clone()).collect();
    plan.actions.iter().map(|action| delta_of(action, (&gone, &new), now)).collect()
}

/// Whether an action makes a relation that there was none of.
pub(super) fn makes(action: &Action) -> bool {
    let desired = || wanted(&action.address, action.on.as_ref(), &action.desired, false).1;
    let is_new = action.op == Op::Create && action.reason != Reason::Remade;
    is_new && kinds::by_id(&action.address.kind).is_some_and(|kind| kind.makes(&desired()).is_some())
}

/// The relations that actions make anew, with those that go with them.
fn made_anew(actions: &[Action]) -> BTreeSet<QualifiedName> {
    let makers = actions.iter().filter(|action| action.op == Op::Replace && !action.takes.is_empty());
    let taken: BTreeSet<&Address> =
        makers.clone().flat_map(|action| &action.takes).map(|taken| &taken.address).collect();
    let along = actions.iter().filter(|action| taken.contains(&action.address));
    makers.chain(along).filter_map(|action| action.on.clone()).collect()
}

/// The delta that an action closes, from what is live now.
fn delta_of(
    action: &Action,
    (gone, new): (&BTreeSet<QualifiedName>, &BTreeSet<QualifiedName>),
    now: &Snapshot,
) -> Delta {
    let (live, kind) = (now.live.get(&action.address), kinds::by_id(&action.address.kind));
    let live = match (action.reason, action.op) {
        // It is on others than what is made anew as well.
        (Reason::Remade, Op::Update) => live.and_then(|live| kind?.left_of(live, gone)),
        (Reason::Remade, _) => None,
        // Where some of these are there by now, it is as it is.
        (Reason::Joined, _) => live.and_then(|live| kind?.joined_by(live, new).or_else(|| Some(live.clone()))),
        _ => live.cloned(),
    };
    let remove = action.op == Op::Remove;
    let desired = (!remove).then(|| {
        let mut desired = Desired::new(action.address.clone(), action.on.clone(), nowhere());
        desired.attributes = action.desired.clone();
        desired.protect = action.protect;
        desired
    });
    let change = |name: &String| Change {
        attribute: name.clone(),
        before: live.as_ref().and_then(|live| live.get(name).cloned()),
        after: desired.as_ref().and_then(|desired| desired.get(name).cloned()),
    };
    // A creation changes all that is desired of it, shown or not; but what is to have nothing has nothing.
    let something = action.desired.iter().filter(|(_, value)| live.is_none() && **value != Value::Null);
    let unseen = something.map(|(name, _)| name);
    let names: BTreeSet<&String> = action.attributes.iter().map(|attribute| &attribute.name).chain(unseen).collect();
    let changes = names.into_iter().map(change).collect();
    Delta { address: action.address.clone(), on: action.on.clone(), reason: action.reason, changes, live, desired }
}

/// Whether planned steps are what would be done now as well. Of work that stands for itself piece by piece there may
/// be more by now: that is left to whoever plans next.
fn does_the_same(planned: &[Step], now: &[Step]) -> bool {
    if !planned.iter().all(|step| step.separate && step.task.is_some()) {
        let same = |(now, planned): (&Step, &Step)| now.does_the_same(planned);
        return now.len() == planned.len() && now.iter().zip(planned).all(same);
    }
    let mut now = now.iter();
    planned.iter().all(|step| now.any(|now| now.does_the_same(step)))
}

/// How the same action is otherwise where it is planned now.
pub(super) fn stale_by(planned: &Action, now: Action) -> Option<Stale> {
    let stale = |why: String| Some(Stale::new(&planned.address, why));
    if now.op != planned.op || !does_the_same(&planned.steps, &now.steps) {
        return stale("would be changed by other statements now".to_owned());
    }
    if let Some(hazard) = now.hazards.iter().find(|hazard| !planned.hazards.contains(hazard)) {
        return stale(format!("now {}", hazard.meaning()));
    }
    let grown = match (&now.impact, &planned.impact) {
        (Some(now), Some(planned)) => now.has_grown_since(planned),
        (Some(_), None) => true,
        (None, _) => false,
    };
    if grown && now.hazards.contains(&Hazard::DeletesData) {
        return stale("would delete more than the plan counted".to_owned());
    }
    let (now, then) = (now.impact.unwrap_or_default(), planned.impact.clone().unwrap_or_default());
    let along: Vec<&str> = now.taken_along_since(&then).collect();
    if along.is_empty() {
        return None;
    }
    stale(format!("would now take {} along, of which the plan does not say so", along.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stale(number: usize, why: &str) -> Stale {
        Stale::new(&Address::global(kinds::all()[0].id(), format!("n{number}")), why)
    }

    #[test]
    fn many_that_are_stale_alike_are_one_message() {
        let said = |stale: &[Stale]| told(stale).into_iter().map(|said| said.message).collect::<Vec<_>>();
        let kind = kinds::all()[0].id();
        assert_eq!(said(&[]), Vec::<String>::new());
        let one = said(&[stale(1, "was changed after the plan was made")]);
        assert_eq!(one, [format!("{kind}.n1 is no longer as the plan saw it: it was changed after the plan was made")]);
        let mut many: Vec<Stale> = (1..=60).map(|number| stale(number, "was changed")).collect();
        many.push(stale(61, "now deletes data"));
        assert_eq!(
            said(&many),
            [
                format!(
                    "{kind}.n1, {kind}.n2, {kind}.n3, {kind}.n4, {kind}.n5 and 55 more are no longer as the plan saw \
                     them: each was changed"
                ),
                format!("{kind}.n61 is no longer as the plan saw it: it now deletes data"),
            ]
        );
        assert_eq!(
            said(&many[58..60]),
            [format!("{kind}.n59, {kind}.n60 are no longer as the plan saw them: each was changed")]
        );
    }
}
