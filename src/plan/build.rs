//! From deltas to actions, by the kinds' own rules.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::core::{
    Action, Address, Applied, AttributeChange, Change, ClosedBy, Containers, Delta, Desired, Fingerprint, FromClass,
    Hazard, KindId, Lock, Op, Operation, Place, QualifiedName, Row, RowError, SourceLine, Step, Task, Value, Whence,
    stack,
};
use crate::diag::{Diagnostic, Failure, code, has_errors};
use crate::diff::{Diff, Drift, PAUSED, pause};
use crate::kinds::{self, How, Judgement, Kind, LockOn, RelationKind, StepRule, Variant, View, by_id};
use crate::plan::artifact::{Adopt, Due, FORMAT_VERSION, Message, Plan, Policies, Summary, Target, Unmanaged};
use crate::plan::moves::Moved;
use crate::plan::purpose::Purpose;
use crate::plan::{along, around, context, order, ownership};
use crate::render::{Context, Renderer};

/// What the kinds' weighing queries gave, by kind.
pub type Weights = BTreeMap<KindId, Vec<Row>>;

/// What a plan is built from.
pub struct Input<'a> {
    /// The live database.
    pub view: View<'a>,
    /// What differs.
    pub diff: &'a Diff,
    /// Where each resource stands.
    pub drift: Vec<Drift>,
    /// What the differences touch.
    pub weights: &'a Weights,
    /// The policies.
    pub policies: Policies,
    /// What the ledger remembers.
    pub applied: &'a BTreeMap<Address, Applied>,
    /// What of it has another address now.
    pub moved: Vec<Moved>,
    /// The settled desired side.
    pub desired: &'a BTreeMap<Address, Desired>,
    /// What has been said already, while loading and settling.
    pub diagnostics: &'a mut Vec<Diagnostic>,
    /// The version to record.
    pub tool_version: &'a str,
    /// Where the policy is that a resource was applied from.
    pub whence: &'a (dyn Fn(&Applied) -> Whence + Sync),
    /// Where each relation's document begins.
    pub documents: &'a BTreeMap<QualifiedName, Place>,
    /// The containers that the policies describe as a whole.
    pub containers: &'a Containers,
    /// What the plan is for.
    pub purpose: &'a Purpose,
    /// Whether these are all of the project's policies: with a choice of files, what the others
    /// describe is not orphaned.
    pub whole: bool,
}

/// Builds the plan. What cannot be done is in it as a blocked action, with an error among the
/// diagnostics.
///
/// # Errors
/// Only for a defect: a template that does not render, a catalog row that cannot be read.
pub fn build(input: Input<'_>, renderer: &mut Renderer) -> Result<Plan, Failure> {
    let (mut actions, mut due, mut waiting) = (Vec::new(), Vec::new(), 0);
    for delta in &input.diff.deltas {
        let weights = input.weights.get(&delta.address.kind).map(Vec::as_slice).unwrap_or_default();
        let among = Among { deltas: &input.diff.deltas, weights };
        let closed_by = closed_by(&delta.address.kind);
        let delta = &paused_still(delta);
        match (input.purpose.covers(closed_by), closed_by) {
            (true, _) => actions.push(action_for(delta, among, &input.view, renderer, input.diagnostics)?),
            (false, ClosedBy::Apply) => waiting += 1,
            // What is wrong with it is said when it is to be done.
            (false, ClosedBy::Run(operation)) => {
                let action = action_for(delta, among, &input.view, renderer, &mut Vec::new())?;
                due.push(later(action, operation));
            }
        }
    }
    if waiting > 0 {
        input.diagnostics.push(apply_first(waiting));
    }
    let mut actions = order::arrange(actions, &input.diff.deltas, &input.view, input.diagnostics);
    along::make_together(&mut actions);
    let said = ownership::say(&input);
    ownership::retract(input.diagnostics, input.diff);
    input.diagnostics.extend(said);
    let unmanaged = |address: &Address| Unmanaged {
        address: address.clone(),
        on: input.view.live.get(address).and_then(|live| live.on.clone()),
        what: input.view.live.get(address).and_then(|live| by_id(&address.kind)?.tells(live)),
    };
    let adopt = adopt(&input);
    let fingerprint = Fingerprint::of_parts(actions.iter().map(|action| action.fingerprint.as_str()));
    Ok(Plan {
        format_version: FORMAT_VERSION,
        tool_version: input.tool_version.to_owned(),
        target: Target::of(input.view.server),
        fingerprint,
        summary: Summary::of(&actions),
        diagnostics: input.diagnostics.iter().map(|said| Message::among(&actions, said)).collect(),
        actions,
        beside: beside(&input),
        around: if *input.purpose == Purpose::Apply {
            around::around(&input, &adopt).into_iter().map(|desired| adopted(desired, false, &input)).collect()
        } else {
            Vec::new()
        },
        unmanaged: left_alone(&input).map(unmanaged).collect(),
        adopt,
        forget: forget(&input),
        moved: if *input.purpose == Purpose::Apply { input.moved.clone() } else { Vec::new() },
        due,
        operations: input.purpose.operations(),
        release: if *input.purpose == Purpose::Apply {
            input.diff.released.iter().map(unmanaged).collect()
        } else {
            Vec::new()
        },
        drift: input.drift,
        guardrails: Vec::new(),
        guarded: BTreeMap::new(),
        policies: input.policies,
        digest: Fingerprint::read(""),
    })
}

/// What closing some differences makes its own, though no policy speaks of its address: nobody else's, and the work
/// of an earlier run.
pub fn taken_over(diff: &Diff, view: &View<'_>) -> BTreeSet<Address> {
    let of = |delta: &Delta| by_id(&delta.address.kind)?.takes_over(delta, view);
    diff.deltas.iter().filter_map(of).collect()
}

/// What nobody manages and nothing touches.
fn left_alone<'a>(input: &Input<'a>) -> impl Iterator<Item = &'a Address> {
    let taken = taken_over(input.diff, &input.view);
    let ends = |delta: &Delta, other: &Address| by_id(&delta.address.kind).is_some_and(|kind| kind.ends(delta, other));
    let deltas = &input.diff.deltas;
    let goes = move |other: &Address| taken.contains(other) || deltas.iter().any(|delta| ends(delta, other));
    input.diff.unmanaged.iter().filter(move |address| !goes(address))
}

/// Which command closes the differences of a kind.
fn closed_by(kind: &KindId) -> ClosedBy {
    by_id(kind).map_or(ClosedBy::Apply, |kind| kind.closed_by())
}

fn later(action: Action, operation: Operation) -> Due {
    let Action { address, on, attributes, impact, source, .. } = action;
    Due { address, on, operation, attributes, impact, source }
}

fn apply_first(waiting: usize) -> Diagnostic {
    let (what, is) = if waiting == 1 { ("resource", "differs from its") } else { ("resources", "differ from their") };
    Diagnostic::warning(&code::APPLY_FIRST, format!("{waiting} {what} {is} policy, which `run` leaves to `apply`"))
        .why("operations go by what is in the database: those that depend on such a difference are left out")
        .help("run `chronoform apply` first")
}

/// What is in sync, of kinds whose live resources have no names, on relations where something changes.
fn beside(input: &Input<'_>) -> Vec<Adopt> {
    let touched: BTreeSet<_> =
        input.diff.deltas.iter().filter_map(|delta| Some((&delta.address.kind, delta.on.as_ref()?))).collect();
    let nameless = |address: &&Address| by_id(&address.kind).is_some_and(|kind| kind.is_nameless());
    let same = input.diff.in_sync.iter().filter(nameless).filter_map(|address| input.desired.get(address));
    let near = same.filter(|d| d.on.as_ref().is_some_and(|on| touched.contains(&(&d.address.kind, on))));
    near.map(|desired| adopted(desired, false, input)).collect()
}

fn adopted(desired: &Desired, new: bool, input: &Input<'_>) -> Adopt {
    Adopt {
        address: desired.address.clone(),
        on: desired.on.clone(),
        desired: desired.attributes.clone(),
        new,
        fingerprint: Fingerprint::of_live(input.view.live.get(&desired.address)),
        source: Some(SourceLine::from(&desired.place)),
    }
}

/// What is in sync and not recorded so. The ledger keeps no standing of what is done again and again.
fn adopt(input: &Input<'_>) -> Vec<Adopt> {
    if *input.purpose != Purpose::Apply {
        return Vec::new();
    }
    let unrecorded = |address: &Address| {
        let desired = input.desired.get(address)?;
        let known = input.applied.get(address);
        // Where its policy was moved to is worth recording too: see `Diff::elsewhere`.
        // So is that what a run began has come to its end some other way.
        let same = known.is_some_and(|applied| {
            (input.whence)(applied) != Whence::Gone && applied.begun.is_none() && is_recorded(desired, applied)
        });
        (!same).then(|| adopted(desired, known.is_none(), input))
    };
    let own = input.diff.in_sync.iter().filter(|address| closed_by(&address.kind) == ClosedBy::Apply);
    stack::spread(own.collect(), unrecorded).into_iter().flatten().collect()
}

/// Whether what was applied is what is wanted. A nothing that settling adds need not be.
fn is_recorded(desired: &Desired, applied: &Applied) -> bool {
    let kind = by_id(&desired.address.kind);
    let counts = |name: &str, value: &serde_json::Value| {
        !value.is_null() || !kind.is_some_and(|kind| kind.is_derived(name, desired, applied))
    };
    let wanted: BTreeMap<&String, serde_json::Value> =
        desired.attributes.iter().map(|(name, value)| (name, value.to_json())).collect();
    let wanted = wanted.iter().filter(|(name, value)| counts(name, value)).map(|(name, value)| (*name, value));
    wanted.eq(applied.attributes.iter().filter(|(name, value)| counts(name, value)))
}

/// What is remembered of a managed relation, gone, and not wanted.
fn forget(input: &Input<'_>) -> Vec<Unmanaged> {
    if *input.purpose != Purpose::Apply {
        return Vec::new();
    }
    let gone = |applied: &&crate::core::Applied| {
        let wanted = input.view.desired.get(&applied.address).is_some_and(|d| d.ensure == crate::core::Ensure::Present);
        let in_view = match &applied.on {
            Some(on) => input.view.relations.contains_key(on),
            None => input.view.desired.contains_key(&applied.address) || input.containers.is_in_one(&applied.address),
        };
        in_view && !wanted && !input.view.live.contains_key(&applied.address)
    };
    let forgotten = input.applied.values().filter(gone);
    forgotten
        .map(|applied| Unmanaged { address: applied.address.clone(), on: applied.on.clone(), what: None })
        .collect()
}

/// What an action is made among.
#[derive(Clone, Copy)]
pub struct Among<'a> {
    /// Every delta that is closed with it.
    pub deltas: &'a [Delta],
    /// All rows that its kind's weighing query gave.
    pub weights: &'a [Row],
}

/// The action that closes one delta.
///
/// # Errors
/// Only for a defect, as [`build`].
pub fn action_for(
    delta: &Delta,
    among: Among<'_>,
    view: &View<'_>,
    renderer: &mut Renderer,
    sink: &mut Vec<Diagnostic>,
) -> Result<Action, Failure> {
    let weights = among.weights;
    let kind = by_id(&delta.address.kind).ok_or_else(|| {
        Failure::from(Diagnostic::error(&code::INTERNAL, format!("no kind `{}` is known", delta.address.kind)))
    })?;
    let mut found: Vec<Diagnostic> = Vec::new();
    let (mut op, rules) = choose(kind, delta, &mut found);
    let mut steps = Vec::new();
    let mut hazards = Vec::new();
    if op != Op::Blocked {
        for variant in variants(kind, delta, &rules, weights, view, &mut found) {
            let made = steps_of(variant, kind, (delta, weights), view, renderer)?;
            if !made.is_empty() {
                hazards.extend_from_slice(variant.hazards);
            }
            steps.extend(made);
        }
    }
    let judgement = judge(kind, delta, op, among, view)?;
    hazards.extend(judgement.hazards);
    found.extend(judgement.diagnostics);
    hazards.sort_unstable();
    hazards.dedup();
    let takes = if op == Op::Replace { along::taken(kind, delta, among.deltas, view) } else { Vec::new() };
    found.extend(along::unkept_pauses(delta, &takes, among.deltas, view));
    found.extend(along::unkept_fills(delta, &takes, among.deltas, view));
    let protect = is_protected(delta, view);
    if hazards.contains(&Hazard::DeletesData) {
        found.extend(protect.then(|| protected(delta)));
        found.extend(judgement.losers.iter().filter_map(|loser| protected_beside(delta, loser, view)));
    }
    if has_errors(&found) {
        op = Op::Blocked;
        steps.clear();
    }
    sink.extend(found.into_iter().map(|said| said.about(&delta.address)));
    let place = delta.desired.as_ref().map(|desired| desired.place.clone());
    let place = place.or_else(|| view.desired.get(&delta.address).map(|desired| desired.place.clone()));
    Ok(Action {
        address: delta.address.clone(),
        on: delta.on.clone(),
        op,
        reason: delta.reason,
        attributes: shown(kind, delta, view),
        steps,
        hazards,
        impact: judgement.impact,
        protect,
        desired: delta.desired.as_ref().map(|desired| desired.attributes.clone()).unwrap_or_default(),
        // Also of what the delta takes for gone, because what it is on is made anew.
        fingerprint: Fingerprint::of_live(view.live.get(&delta.address)),
        source: place.as_ref().map(SourceLine::from),
        classes: from_classes(delta),
        takes,
    })
}

/// A job that somebody has paused and that is replaced is made again as one that is.
fn paused_still(delta: &Delta) -> Cow<'_, Delta> {
    let is_paused = delta.live.as_ref().is_some_and(|live| live.paused);
    let is_managed = delta.desired.as_ref().is_none_or(|desired| desired.attributes.contains_key(PAUSED));
    let kind = by_id(&delta.address.kind).filter(|_| is_paused && !is_managed);
    if kind.is_none_or(|kind| choose(kind, delta, &mut Vec::new()).0 != Op::Replace) {
        return Cow::Borrowed(delta);
    }
    let mut delta = delta.clone();
    pause(&mut delta);
    Cow::Owned(delta)
}

/// Which of the changed attributes a class gave.
fn from_classes(delta: &Delta) -> BTreeMap<String, FromClass> {
    let Some(desired) = &delta.desired else { return BTreeMap::new() };
    let given = delta.changes.iter().filter_map(|change| {
        let place = desired.place_of(&change.attribute);
        let class = place.via.as_ref()?.class.to_string();
        Some((change.attribute.clone(), FromClass { class, source: SourceLine::from(place) }))
    });
    given.collect()
}

/// The changes worth showing: on creation, without what goes without saying.
fn shown(kind: &dyn Kind, delta: &Delta, view: &View<'_>) -> Vec<AttributeChange> {
    let implied = |change: &&Change| {
        delta.is_create() && change.after.as_ref().is_some_and(|after| kind.is_implied(&change.attribute, after))
    };
    // What is no key of a policy, and has nothing, goes without saying where the resource goes.
    let nothing = |change: &&Change| {
        let empty = |value: &Value| *value == Value::Null || matches!(value, Value::List(items) if items.is_empty());
        delta.is_remove() && kind.label(&change.attribute).is_some() && change.before.as_ref().is_none_or(empty)
    };
    let worth = delta.changes.iter().filter(|change| !implied(change) && !nothing(change));
    worth.map(|change| attribute_change(kind, delta, change, view)).collect()
}

fn attribute_change(kind: &dyn Kind, delta: &Delta, change: &Change, view: &View<'_>) -> AttributeChange {
    let json = |value: &Option<Value>| value.as_ref().map_or(serde_json::Value::Null, Value::to_json);
    AttributeChange {
        name: change.attribute.clone(),
        label: kind.label(&change.attribute).map(str::to_owned),
        before: json(&change.before),
        after: json(&change.after),
        alike: kind.alike(delta, &change.attribute, view),
    }
}

fn judge(kind: &dyn Kind, delta: &Delta, op: Op, among: Among<'_>, view: &View<'_>) -> Result<Judgement, Failure> {
    kind.judge_among(delta, among.deltas, op, among.weights, view).map_err(|error| unreadable(delta, &error))
}

/// The verb, and the steps that carry it out.
fn choose(kind: &dyn Kind, delta: &Delta, found: &mut Vec<Diagnostic>) -> (Op, Vec<&'static StepRule>) {
    let rules = kind.rules();
    if delta.is_create() {
        return (Op::Create, rules.create.to_vec());
    }
    if delta.is_remove() {
        return (Op::Remove, rules.remove.to_vec());
    }
    let mut replace = false;
    let mut altering: Vec<&'static StepRule> = Vec::new();
    let mut unruled: Vec<&Change> = Vec::new();
    for change in &delta.changes {
        match rules.attribute(&change.attribute).map(|rule| &rule.how) {
            Some(How::Alter(step)) => altering.push(step),
            Some(How::AlterBy(steps)) => altering.extend(steps.iter().copied()),
            Some(How::Replace) => replace = true,
            Some(How::Refuse { code, why, help }) => found.push(refusal(delta, change, code, why, help)),
            Some(How::OnlyAtCreation) | None => unruled.push(change),
        }
    }
    // What only counts at creation counts where the resource is created again.
    let is_known = |change: &&&Change| rules.attribute(&change.attribute).is_some();
    for change in unruled.iter().filter(|change| !(replace && is_known(change))) {
        let message = format!("{} has no rule for its attribute `{}`", delta.address, change.attribute);
        found.push(Diagnostic::error(&code::INTERNAL, message));
    }
    if has_errors(found) {
        return (Op::Blocked, Vec::new());
    }
    if replace {
        let steps = rules.replace.map_or_else(|| [rules.remove, rules.create].concat(), <[_]>::to_vec);
        return (Op::Replace, steps);
    }
    // In the order of the table, so that a plan does not depend on the names' alphabet.
    let mut steps = rules.steps();
    steps.retain(|step| altering.iter().any(|wanted| std::ptr::eq(*wanted, *step)));
    (Op::Update, steps)
}

fn refusal(delta: &Delta, change: &Change, code: &'static crate::diag::Code, why: &str, help: &str) -> Diagnostic {
    let show = |value: &Option<Value>| value.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
    let message = format!(
        "`{}` of {} cannot be changed from {} to {}",
        change.attribute,
        delta.address,
        show(&change.before),
        show(&change.after)
    );
    let diagnostic = Diagnostic::error(code, message).why(why).help(help);
    match &delta.desired {
        Some(desired) => diagnostic.at(desired.place_of(&change.attribute)),
        None => diagnostic,
    }
}

fn variants(
    kind: &dyn Kind,
    delta: &Delta,
    rules: &[&'static StepRule],
    weights: &[Row],
    view: &View<'_>,
    found: &mut Vec<Diagnostic>,
) -> Vec<&'static Variant> {
    let holds = |condition: &str| kind.holds(condition, delta, weights, view);
    let is_hypertable = delta.on.as_ref().is_some_and(|on| view.is_hypertable(on));
    let mut chosen = Vec::new();
    for rule in rules {
        match rule.variant(view.server, is_hypertable, &holds) {
            Some(variant) => chosen.push(variant),
            None => found.push(unsupported(kind, delta, view)),
        }
    }
    chosen
}

fn unsupported(kind: &dyn Kind, delta: &Delta, view: &View<'_>) -> Diagnostic {
    let server = match &view.server.timescaledb {
        Some(timescale) => {
            format!(
                "PostgreSQL {} with TimescaleDB {} ({})",
                view.server.version, timescale.version_text, timescale.edition
            )
        }
        None => format!("PostgreSQL {} without TimescaleDB", view.server.version),
    };
    let named = delta.address.told(delta.on.as_ref());
    let message = format!("the {} {named} cannot be brought to its policy on this server", kind.title());
    let diagnostic = Diagnostic::error(&code::NEEDS_NEWER_SERVER, message)
        .why(format!("the server is {server}, which has no statement for it"))
        .help("upgrade the server, or take the change out of the policy");
    match &delta.desired {
        Some(desired) => diagnostic.at(&desired.place),
        None => diagnostic,
    }
}

/// The steps that a variant makes: one, or one an item.
fn steps_of(
    variant: &'static Variant,
    kind: &dyn Kind,
    (delta, weights): (&Delta, &[Row]),
    view: &View<'_>,
    renderer: &mut Renderer,
) -> Result<Vec<Step>, Failure> {
    let mut context: Context = context::of_delta(kind, delta, view);
    context.insert("variant".to_owned(), variant.needs.when.map_or(Value::Null, Value::text));
    let mut one = |context: &Context, task: Option<Task>, separate: bool| {
        let sql = renderer.render(variant.template, context);
        let sql = sql.map_err(|error| {
            Failure::from(Diagnostic::error(&code::INTERNAL, format!("{}: {error}", delta.address)))
        })?;
        let lock = variant.lock.map(|(mode, on)| Lock {
            mode,
            on: lock_on(on, delta, context.get("item"), view),
            blocks: mode.blocks().to_owned(),
        });
        Ok::<_, Failure>(sql.map(|sql| Step {
            sql,
            transactional: variant.transactional,
            lock,
            separate,
            task: task.clone(),
        }))
    };
    let repeated = kind.repeated(variant.template, delta, weights, view);
    if let Some(items) = repeated.map_err(|error| unreadable(delta, &error))? {
        let mut steps = Vec::new();
        for item in items {
            context.insert("item".to_owned(), item);
            steps.extend(one(&context, None, false)?);
        }
        return Ok(steps);
    }
    let items = kind.items(variant.template, delta, weights, view).map_err(|error| unreadable(delta, &error))?;
    let Some(items) = items else { return Ok(one(&context, None, false)?.into_iter().collect()) };
    let mut steps = Vec::new();
    for item in items {
        let task = kind.task(&item);
        context.insert("item".to_owned(), item);
        steps.extend(one(&context, task, true)?);
    }
    Ok(steps)
}

fn unreadable(delta: &Delta, error: &RowError) -> Failure {
    let message = format!("{}: {error}", delta.address);
    Failure::from(Diagnostic::error(&code::CATALOG_UNEXPECTED, message))
}

fn lock_on(on: LockOn, delta: &Delta, item: Option<&Value>, view: &View<'_>) -> String {
    let object = delta.address.object().map_or_else(|| delta.address.name.clone(), |name| name.to_string());
    let relation = delta.on.as_ref().map_or_else(|| object.clone(), ToString::to_string);
    match on {
        LockOn::Relation => relation,
        LockOn::EachChunk => format!("each chunk of {relation}, one after another"),
        LockOn::RelationAndChunks if is_partitioned(delta, view) => format!("{relation} and its partitions"),
        LockOn::RelationAndChunks => format!("{relation} and its chunks"),
        LockOn::WhatItReads => named(&what_it_reads(delta, false)).unwrap_or(relation),
        LockOn::RelationAndWhatItReads => {
            let reads = what_it_reads(delta, true);
            std::iter::once(relation).chain(named(&reads)).collect::<Vec<_>>().join(" and ")
        }
        LockOn::Object => object,
        LockOn::EachItem => item.map_or(relation, ToString::to_string),
        LockOn::Item => match item {
            Some(Value::Map(entries)) => entries.get("locks").map_or(relation, ToString::to_string),
            _ => relation,
        },
    }
}

/// What the live resource reads, where that goes or is to be read as well; or else what it is to read.
fn what_it_reads(delta: &Delta, goes: bool) -> Vec<String> {
    let wanted: Vec<String> = delta.desired.iter().flat_map(kinds::reads).map(|name| name.to_string()).collect();
    let live = delta.live.as_ref().and_then(|live| live.fact("source")).map(ToString::to_string);
    match live.filter(|live| goes || wanted.is_empty() || wanted.contains(live)) {
        Some(live) => vec![live],
        None => wanted,
    }
}

/// `None` where nothing can be told.
fn named(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| names.join(" and "))
}

fn is_partitioned(delta: &Delta, view: &View<'_>) -> bool {
    let relation = delta.on.as_ref().and_then(|on| view.relations.get(on));
    relation.is_some_and(|relation| relation.kind == RelationKind::PartitionedTable)
}

fn is_protected(delta: &Delta, view: &View<'_>) -> bool {
    match &delta.desired {
        Some(desired) => desired.protect,
        None => view.desired.values().any(|desired| desired.protect && desired.on == delta.on && delta.on.is_some()),
    }
}

/// The same, of another relation that loses rows by it.
fn protected_beside(delta: &Delta, loser: &QualifiedName, view: &View<'_>) -> Option<Diagnostic> {
    let own = |desired: &&Desired| desired.protect && desired.on.as_ref() == Some(loser);
    let place = &view.desired.values().find(own)?.place;
    let named = delta.address.told(delta.on.as_ref());
    let message = format!("{named} would delete data of {loser} too, and the policy of that says `protect: true`");
    Some(
        Diagnostic::error(&code::PROTECTED, message)
            .at(place)
            .why("protection is there so that no command line can override it")
            .help(format!("take `protect: true` out of the policy of {loser}, in a reviewed change of its own")),
    )
}

fn protected(delta: &Delta) -> Diagnostic {
    let named = delta.address.told(delta.on.as_ref());
    let message = format!("{named} would delete data, and its policy says `protect: true`");
    let diagnostic = Diagnostic::error(&code::PROTECTED, message)
        .why("protection is there so that no command line can override it")
        .help("take `protect: true` out of the policy, in a reviewed change of its own");
    match &delta.desired {
        Some(desired) => diagnostic.at(&desired.place),
        None => diagnostic,
    }
}
