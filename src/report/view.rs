//! A plan as every format shows it: grouped, labelled, and each fact put into words.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::core::{Action, AttributeChange, Bytes, Hazard, Impact, Lock, LockMode, Op, QualifiedName, Reason, Value};
use crate::diff::{Drift, Status};
use crate::plan::{Adopt, Due, Message, Plan};
use crate::report::compare::{DiffLine, unified};
use crate::report::input::DriftReport;
use crate::report::phrase::{self, Label, Level, Sentence};
use crate::report::table::Mood;
use crate::report::value;

/// The changes of one relation, or those of the whole database.
pub(super) struct Group<'a> {
    /// The relation.
    pub(super) on: Option<&'a QualifiedName>,
    /// Its changes, in the plan's order.
    pub(super) changes: Vec<Change<'a>>,
}

/// One change.
pub(super) struct Change<'a> {
    /// The action itself.
    pub(super) action: &'a Action,
    /// What it is called in its group.
    pub(super) label: Label,
    /// The attributes that differ, of an update, a replacement or a blocked change; of what is made again,
    /// those that both sides are known of.
    pub(super) rows: Vec<Row<'a>>,
    /// The attributes of what is created or removed.
    pub(super) whole: Vec<(String, String)>,
    /// What must be allowed, by level, worst first.
    pub(super) hazards: Vec<(Level, Vec<Hazard>)>,
    /// How much it touches.
    pub(super) impact: Option<Sentence>,
    /// What else is to be said of that.
    pub(super) notes: Vec<Sentence>,
    /// What it locks, strongest first.
    pub(super) locks: Vec<(LockMode, Sentence)>,
    /// Why it cannot be done.
    pub(super) blocked_by: Vec<&'a Message>,
}

/// An attribute that differs.
pub(super) struct Row<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its live value.
    pub(super) before: String,
    /// Its desired value.
    pub(super) after: String,
    /// Both compared, where they are definitions.
    pub(super) diff: Vec<DiffLine>,
    /// Whether they are files of lines, which say nothing in one.
    pub(super) by_line: bool,
}

/// A plan's changes, the whole database's first and then relation by relation.
pub(super) fn groups(plan: &Plan) -> Vec<Group<'_>> {
    let mut order: BTreeMap<Option<&QualifiedName>, usize> = BTreeMap::new();
    let mut groups: BTreeMap<usize, Group<'_>> = BTreeMap::new();
    for action in &plan.actions {
        let on = action.on.as_ref();
        // The database itself before its relations; those in the order in which they come.
        let next = if on.is_some() { order.len() + 1 } else { 0 };
        let at = *order.entry(on).or_insert(next);
        groups.entry(at).or_insert_with(|| Group { on, changes: Vec::new() }).changes.push(change(plan, action));
    }
    groups.into_values().collect()
}

fn change<'a>(plan: &'a Plan, action: &'a Action) -> Change<'a> {
    let is_removed = matches!(action.reason, Reason::Unwanted | Reason::Dropped);
    let is_made = matches!(action.reason, Reason::Missing | Reason::Disappeared)
        || (action.reason == Reason::Begun && action.op == Op::Create)
        || (action.reason == Reason::Remade && action.op != Op::Update);
    let is_whole = is_removed || is_made;
    let side =
        |attribute: &'a AttributeChange| -> &'a Json { if is_removed { &attribute.before } else { &attribute.after } };
    let (compared, plain): (Vec<_>, Vec<_>) =
        action.attributes.iter().partition(|attribute| !is_whole || attribute.alike.is_some());
    let named = plain.into_iter().map(|attribute| (attribute.words(), side(attribute)));
    let whole = named.filter(|(_, value)| !(is_removed && value.is_null()));
    Change {
        action,
        label: Label::within(&action.address, action.on.as_ref()),
        rows: compared.into_iter().map(|change| row(action, change)).collect(),
        whole: if is_whole { value::pairs(whole) } else { Vec::new() },
        hazards: phrase::by_level(&action.hazards),
        impact: action.impact.as_ref().and_then(phrase::impact),
        notes: action.impact.iter().flat_map(|impact| &impact.notes).map(|note| Sentence::prose(note)).collect(),
        locks: locks(action),
        blocked_by: if action.op == Op::Blocked { blocked_by(plan, action) } else { Vec::new() },
    }
}

fn row<'a>(action: &Action, change: &'a AttributeChange) -> Row<'a> {
    let definition = value::is_definition(&change.name, [&change.before, &change.after], &action.desired);
    Row {
        name: change.words(),
        before: value::show(&change.before),
        after: value::show(&change.after),
        diff: match &change.alike {
            Some(alike) => unified(&Json::from(alike.before.as_str()), &Json::from(alike.after.as_str())),
            None if definition => unified(&change.before, &change.after),
            None => Vec::new(),
        },
        by_line: change.alike.is_some()
            || matches!(action.desired.get(&change.name), Some(Value::Text(text)) if text.contains('\n')),
    }
}

/// The strongest lock on each thing that an action locks.
fn locks(action: &Action) -> Vec<(LockMode, Sentence)> {
    let mut strongest: Vec<&Lock> = Vec::new();
    for lock in action.steps.iter().filter_map(|step| step.lock.as_ref()) {
        match strongest.iter_mut().find(|known| known.on == lock.on) {
            Some(known) if known.mode < lock.mode => *known = lock,
            Some(_) => {}
            None => strongest.push(lock),
        }
    }
    // What is locked together with something else is told by that, where it is locked no less.
    let all = strongest.clone();
    let is_within =
        |lock: &Lock, other: &&Lock| other.mode >= lock.mode && other.on.ends_with(&format!(" and {}", lock.on));
    strongest.retain(|lock| !all.iter().any(|other| is_within(lock, other)));
    strongest.sort_by_key(|lock| std::cmp::Reverse(lock.mode));
    strongest.into_iter().map(|lock| (lock.mode, phrase::lock(lock))).collect()
}

/// The errors that speak of an action: those that are about it or name its address, or else those of its
/// own place that are about nothing else.
fn blocked_by<'a>(plan: &'a Plan, action: &Action) -> Vec<&'a Message> {
    let own = |message: &&Message| message.about.as_ref().is_none_or(|about| *about == action.address);
    let errors = || plan.diagnostics.iter().filter(|message| message.severity == "error").filter(own);
    let address = action.address.told(action.on.as_ref());
    let named = |message: &&Message| message.about.is_some() || names(&message.message, &address);
    let named: Vec<&Message> = errors().filter(named).collect();
    if !named.is_empty() {
        return named;
    }
    errors().filter(|message| message.source.is_some() && message.source == action.source).collect()
}

/// Whether a text holds an address as a whole, and not as the beginning of a longer one.
fn names(text: &str, address: &str) -> bool {
    text.match_indices(address).any(|(start, found)| {
        let after = text.get(start + found.len()..).unwrap_or("");
        !after.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"' | '$'))
    })
}

/// A danger of a whole plan: hazards of one level that the same actions have.
pub(super) struct Danger<'a> {
    /// How bad.
    pub(super) level: Level,
    /// What.
    pub(super) hazards: Vec<Hazard>,
    /// Which.
    pub(super) actions: Vec<&'a Action>,
}

/// Every hazard of a plan, worst first.
pub(super) fn dangers(plan: &Plan) -> Vec<Danger<'_>> {
    let mut dangers: Vec<Danger<'_>> = Vec::new();
    for (level, hazards) in phrase::by_level(&plan.hazards()) {
        for hazard in hazards {
            let actions: Vec<&Action> = plan.actions.iter().filter(|action| action.hazards.contains(&hazard)).collect();
            let same = |known: &&mut Danger<'_>| {
                known.level == level
                    && known.actions.len() == actions.len()
                    && known.actions.iter().zip(&actions).all(|(one, other)| std::ptr::eq(*one, *other))
            };
            match dangers.iter_mut().find(same) {
                Some(known) => known.hazards.push(hazard),
                None => dangers.push(Danger { level, hazards: vec![hazard], actions }),
            }
        }
    }
    dangers
}

/// How many resources a sentence names before it only counts.
const NAMED: usize = 5;

/// A danger in words: `deletes data: 12 chunks, 38.2 GB (retention of public.trades)`.
pub(super) fn danger(danger: &Danger<'_>) -> Sentence {
    let mut sentence = Sentence::of(phrase::meaning(&danger.hazards));
    if danger.hazards.contains(&Hazard::DeletesData) {
        sentence = sentence.text(format!(": {}", deleted(&danger.actions)));
    }
    let labels = danger.actions.iter().map(|action| Label::anywhere(&action.address, action.on.as_ref()));
    sentence.text(" (").then(listed(labels, NAMED)).text(")")
}

/// The command that allows every danger of a plan.
pub(super) fn consent(plan: &Plan, dangers: &[Danger<'_>]) -> String {
    format!("{} {}", plan.command(), phrase::allow(&hazards(dangers)))
}

/// The hazards of some dangers.
pub(super) fn hazards(dangers: &[Danger<'_>]) -> Vec<Hazard> {
    dangers.iter().flat_map(|danger| danger.hazards.iter().copied()).collect()
}

/// What an impact counts, and how an amount of it is told.
type Counted = (fn(&Impact) -> Option<u64>, fn(u64) -> String);

const COUNTED: [Counted; 3] = [
    (|impact| impact.chunks, |chunks| phrase::count(chunks, "chunk")),
    (|impact| impact.rows, |rows| phrase::count(rows, "row")),
    (|impact| impact.bytes.map(|bytes| bytes.0), |bytes| Bytes(bytes).to_string()),
];

/// All that is deleted, in what was counted of every action. Where there is nothing of the sort, it is
/// at least what was counted of some.
fn deleted(actions: &[&Action]) -> String {
    let (mut whole, mut part) = (Vec::new(), Vec::new());
    for (of, told) in COUNTED {
        let counts: Vec<u64> = actions.iter().filter_map(|action| of(action.impact.as_ref()?)).collect();
        let sum = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
        match counts.len() {
            0 => {}
            known if known == actions.len() => whole.push(told(sum)),
            _ if sum > 0 => part.push(told(sum)),
            // At least nothing says nothing.
            _ => {}
        }
    }
    match (whole.is_empty(), part.is_empty()) {
        (false, _) => whole.join(", "),
        (true, false) => format!("at least {}", part.join(", ")),
        (true, true) => "how much could not be counted".to_owned(),
    }
}

/// A list that ends in a count: `a, b and 3 more`.
pub(super) fn listed(items: impl Iterator<Item = Sentence>, most: usize) -> Sentence {
    let items: Vec<Sentence> = items.collect();
    let mut sentence = Sentence::default();
    for (index, item) in items.iter().take(most).enumerate() {
        sentence = if index == 0 { sentence } else { sentence.text(", ") };
        sentence = sentence.then(item.clone());
    }
    match items.len().saturating_sub(most) {
        0 => sentence,
        more => sentence.text(format!(" and {more} more")),
    }
}

/// Work that is due, and how it stands.
fn due(due: &Due) -> Sentence {
    let label = Label::anywhere(&due.address, due.on.as_ref());
    let stand = |change: &AttributeChange| format!("{}: {}", change.words(), value::show_inline(&change.before));
    let stands: Vec<String> = due.attributes.iter().map(stand).collect();
    label.text(format!(" ({})", stands.join(", ")))
}

/// What is true of a plan beside its changes, a sentence each.
pub(super) fn remarks(plan: &Plan, most: usize) -> Vec<Sentence> {
    let mut remarks = Vec::new();
    let mut list = |count: usize, intro: &str, items: Sentence| {
        if count > 0 {
            remarks.push(Sentence::of(format!("{intro} ({count}): ")).then(items));
        }
    };
    let paused: Vec<&Drift> = plan.drift.iter().filter(|drift| drift.status == Status::Paused).collect();
    let names = paused.iter().map(|drift| Label::anywhere(&drift.address, drift.on.as_ref()));
    list(paused.len(), "Paused by an operator, and left so", listed(names, most));
    let names = plan.unmanaged.iter().map(|found| {
        let label = Label::anywhere(&found.address, found.on.as_ref());
        match &found.what {
            Some(what) => label.text(format!(" ({what})")),
            None => label,
        }
    });
    list(plan.unmanaged.len(), "Unmanaged, and left alone", listed(names, most));
    let names = plan.due.iter().map(due);
    list(plan.due.len(), "Due, and done by `chronoform run`", listed(names, most));
    let (new, known): (Vec<&Adopt>, Vec<&Adopt>) = plan.adopt.iter().partition(|adopt| adopt.new);
    let names = plan.release.iter().map(|gone| Label::anywhere(&gone.address, gone.on.as_ref()));
    list(plan.release.len(), "No longer managed once this is applied, and left as it is", listed(names, most));
    let mut tell = |count: usize, one: &str, several: &str| {
        if count > 0 {
            let text = if count == 1 { one } else { several };
            remarks.push(Sentence::of(format!("{} {text}", phrase::many(count, "resource"))));
        }
    };
    tell(
        new.len(),
        "is already as its policy wants it: apply records it as managed.",
        "are already as their policies want them: apply records them as managed.",
    );
    tell(
        known.len(),
        "has a new policy that the database already meets: apply records it.",
        "have new policies that the database already meets: apply records them.",
    );
    tell(
        plan.moved.len(),
        "has another name than when it was applied: apply records the new one.",
        "have other names than when they were applied: apply records the new ones.",
    );
    tell(
        plan.forget.len(),
        "in the ledger is in no policy and no longer in the database: apply forgets it.",
        "in the ledger are in no policy and no longer in the database: apply forgets them.",
    );
    remarks
}

/// The standings of one relation's resources, or those of the whole database.
pub(super) struct Standings<'a> {
    /// The relation.
    pub(super) on: Option<&'a QualifiedName>,
    /// Its resources, each with what it is called there.
    pub(super) resources: Vec<(Label, &'a Drift)>,
}

/// Drift by relation, the whole database's first.
pub(super) fn drift_groups<'a>(drift: impl Iterator<Item = &'a Drift>) -> Vec<Standings<'a>> {
    let mut groups: BTreeMap<Option<&QualifiedName>, Vec<(Label, &Drift)>> = BTreeMap::new();
    for drift in drift {
        let label = Label::within(&drift.address, drift.on.as_ref());
        groups.entry(drift.on.as_ref()).or_default().push((label, drift));
    }
    groups.into_iter().map(|(on, resources)| Standings { on, resources }).collect()
}

/// How many resources stand so.
pub(super) fn standing(drift: &[Drift], status: Status) -> usize {
    drift.iter().filter(|drift| drift.status == status).count()
}

/// Drift in one line. Where errors kept resources from being compared, nothing is called in order.
pub(super) fn drift_verdict(report: &DriftReport<'_>) -> String {
    let parts: Vec<String> = phrase::STATUSES
        .iter()
        .map(|status| (standing(report.drift, *status), *status))
        .filter(|(number, _)| *number > 0)
        .map(|(number, status)| format!("{number} {}", status.words()))
        .collect();
    let differs = report.drift.iter().any(|drift| drift.status.is_difference());
    let rest = match phrase::errors(report.diagnostics) {
        0 => String::new(),
        errors => format!(" {} must be mended before all can be told.", phrase::many(errors, "error")),
    };
    match (parts.is_empty(), differs, rest.is_empty()) {
        (true, _, true) => "No drift: no policy describes anything here.".to_owned(),
        (true, _, false) => format!("Drift is not known.{rest}"),
        (false, false, true) => format!("No drift: {}.", parts.join(", ")),
        (false, false, false) => format!("Drift is not known for all: {}.{rest}", parts.join(", ")),
        (false, true, _) => format!("Drift: {}.{rest}", parts.join(", ")),
    }
}

/// What is to be said of a drift report as a whole.
pub(super) fn drift_remarks(report: &DriftReport<'_>) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(earlier) = &report.evidence.earlier {
        let differences = || report.drift.iter().filter(|drift| drift.status.is_difference());
        let known = differences().filter(|drift| report.evidence.is_known(&drift.address)).count();
        let new = differences().count() - known;
        remarks.push(format!("Compared with {earlier}: {new} new, {known} known."));
    }
    remarks.extend(report.evidence.silence.iter().map(|silence| format!("When: {silence}.")));
    remarks
}

/// How a drift report is to be taken.
pub(super) fn drift_mood(report: &DriftReport<'_>) -> Mood {
    if phrase::errors(report.diagnostics) > 0 {
        Mood::Bad
    } else if report.drift.iter().any(|drift| drift.status.is_difference()) {
        Mood::Warn
    } else {
        Mood::Good
    }
}

/// What to do about drift, as a command and what it does.
pub(super) fn healing(report: &DriftReport<'_>) -> Vec<(String, &'static str)> {
    let of_run = |drift: &Drift| report.due.iter().find(|due| due.address == drift.address);
    let differences = || report.drift.iter().filter(|drift| drift.status.is_difference());
    let mut operations: Vec<&str> = differences().filter_map(of_run).map(|due| due.operation.as_str()).collect();
    operations.sort_unstable();
    operations.dedup();
    let run = (!operations.is_empty())
        .then(|| (report.target.command(&format!("run {}", operations.join(" "))), "does what is due"));
    if differences().all(|drift| of_run(drift).is_some()) {
        return run.into_iter().collect();
    }
    let apply = if standing(report.drift, Status::Conflict) > 0 {
        "brings it back, in a conflict too: to keep what is live, put it into the policy first"
    } else {
        "brings it back"
    };
    let plan = (report.target.command("plan"), "shows what brings the database back to the policies, and at what cost");
    [plan, (report.target.command("apply"), apply)].into_iter().chain(run).collect()
}
