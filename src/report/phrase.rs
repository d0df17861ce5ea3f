//! The sentences of every view: what an action is, why, what it locks, endangers and touches.
//!
//! They are written once, here, so that a pull request's comment and a terminal say the same.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::core::{
    Action, Address, FromClass, Hazard, INTERNAL_SCHEMA, Impact, Lock, LockMode, Op, QualifiedName, Reason, SourceLine,
};
use crate::diff::{Drift, Status};
use crate::plan::{Message, Plan, Summary, Target};
use crate::report::clock;
use crate::report::input::Outcome;

/// A part of a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Piece {
    /// Words.
    Text(String),
    /// A name, a value, something to type.
    Code(String),
}

/// A sentence whose names are told from its words, so that each format can set them apart.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Sentence(pub(super) Vec<Piece>);

impl Sentence {
    /// A sentence of words.
    pub(super) fn of(text: impl Into<String>) -> Self {
        Self::default().text(text)
    }

    /// And words.
    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.0.push(Piece::Text(text.into()));
        self
    }

    /// And a name or value.
    pub(super) fn code(mut self, code: impl Into<String>) -> Self {
        self.0.push(Piece::Code(code.into()));
        self
    }

    /// And another sentence.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// A text that sets names in backticks, as diagnostics do.
    pub(super) fn prose(text: &str) -> Self {
        let mut sentence = Self::default();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('`') {
            let Some((code, after)) = after.split_once('`') else { break };
            sentence = sentence.text(before).code(code);
            rest = after;
        }
        sentence.text(rest)
    }
}

impl fmt::Display for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|piece| match piece {
            Piece::Text(text) | Piece::Code(text) => f.write_str(text),
        })
    }
}

/// A count with its noun: `1 chunk`, `12 chunks`, `1,204 rows`.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// The same for lengths.
pub(super) fn many(number: usize, noun: &str) -> String {
    count(u64::try_from(number).unwrap_or(u64::MAX), noun)
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The sign of a verb.
pub(super) const fn symbol(op: Op, ascii: bool) -> &'static str {
    match op {
        Op::Create => "+",
        Op::Update => "~",
        Op::Replace if ascii => "-/+",
        Op::Replace => "±",
        Op::Remove => "-",
        Op::Blocked => "!",
    }
}

/// A resource within its group: the kind, and the name where it is not the group's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Label {
    /// The kind, in words.
    pub(super) kind: String,
    /// The object's name, quoted as SQL does.
    pub(super) name: Option<String>,
}

impl Label {
    /// The label of a resource under the heading of its relation.
    pub(super) fn within(address: &Address, on: Option<&QualifiedName>) -> Self {
        let name = match (address.object(), on) {
            (Some(object), Some(on)) if object == *on => None,
            // What is in TimescaleDB's own schema is found by what it is on, as the indexes of an aggregate.
            (Some(object), Some(on)) if object.schema == on.schema || object.schema == INTERNAL_SCHEMA => {
                Some(crate::core::name::quote_identifier(&object.name))
            }
            (Some(object), _) => Some(object.to_string()),
            (None, _) => Some(crate::core::name::quote_identifier(&address.name)),
        };
        Self { kind: address.kind.as_str().replace('_', " "), name }
    }

    /// The label of a resource anywhere, with its relation: `index ix_a on public.t`.
    pub(super) fn anywhere(address: &Address, on: Option<&QualifiedName>) -> Sentence {
        let label = Self::within(address, on);
        let sentence = Sentence::of(format!("{} ", label.kind));
        match (label.name, on) {
            (Some(name), Some(on)) => sentence.code(name).text(" on ").code(on.to_string()),
            (Some(name), None) => sentence.code(name),
            (None, Some(on)) => sentence.text("of ").code(on.to_string()),
            (None, None) => sentence.code(address.to_string()),
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{} {name}", self.kind),
            None => f.write_str(&self.kind),
        }
    }
}

/// The heading of a group.
pub(super) fn heading(on: Option<&QualifiedName>) -> String {
    on.map_or_else(|| "whole database".to_owned(), ToString::to_string)
}

/// Why an action is planned.
pub(super) fn reason(reason: Reason) -> Sentence {
    match reason {
        Reason::Missing => Sentence::of("not in the database yet"),
        Reason::Disappeared => Sentence::of("applied before, and gone from the database since"),
        Reason::Differs => Sentence::of("the database differs from the policy"),
        Reason::Drifted => Sentence::of("changed in the database since it was last applied"),
        Reason::Unwanted => Sentence::of("the policy says ").code("ensure: absent"),
        Reason::Dropped => Sentence::of("no longer in the policy, and applied by Chronoform"),
        Reason::Remade => Sentence::of("what it is on is made anew, and it goes with that"),
        Reason::Joined => Sentence::of("the same plan makes something that it is to be on as well"),
        Reason::Begun => Sentence::of("an apply began it, and did not end"),
    }
}

/// Which attributes a class gives, a sentence a place.
pub(super) fn classes(action: &Action) -> Vec<Sentence> {
    let mut of_place: BTreeMap<&FromClass, Vec<&str>> = BTreeMap::new();
    for (attribute, from) in &action.classes {
        if action.attributes.iter().any(|change| change.name == *attribute) {
            of_place.entry(from).or_default().push(attribute);
        }
    }
    let sentence = |(from, names): (&FromClass, Vec<&str>)| {
        let given = Sentence::of(format!("{} from the class ", names.join(", "))).code(&from.class);
        given.text(format!(" ({})", source(&from.source)))
    };
    of_place.into_iter().map(sentence).collect()
}

/// A place in a policy.
pub(super) fn source(source: &SourceLine) -> String {
    format!("{}:{}", source.file, source.line)
}

/// What a lock is on and what waits for it.
pub(super) fn lock(lock: &Lock) -> Sentence {
    let waits = format!(": {}, blocks {}", lock.mode.as_str(), lock.blocks);
    // `each chunk of …` is words around a name; a name alone is set as one.
    let is_name = crate::report::measure::words(&lock.on).len() == 1;
    let sentence = Sentence::of("locks ");
    let sentence = if is_name { sentence.code(&lock.on) } else { sentence.text(&lock.on) };
    sentence.text(waits)
}

/// Whether anybody would notice a lock.
pub(super) fn is_felt(mode: LockMode) -> bool {
    mode > LockMode::RowExclusive
}

/// How bad a hazard is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Level {
    /// Costs time or waiting.
    Caution,
    /// Cannot be undone.
    Danger,
}

impl Level {
    /// The level of a hazard.
    pub(super) const fn of(hazard: Hazard) -> Self {
        match hazard {
            Hazard::DeletesData | Hazard::LeavesBackups => Self::Danger,
            Hazard::RewritesTable
            | Hazard::BlocksWrites
            | Hazard::BlocksReads
            | Hazard::BuildsIndex
            | Hazard::NeedsRestart => Self::Caution,
        }
    }

    /// The word before it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Danger => "DANGER",
            Self::Caution => "CAUTION",
        }
    }
}

/// Hazards of one level, worst level first, so that what is said together can be.
pub(super) fn by_level(hazards: &[Hazard]) -> Vec<(Level, Vec<Hazard>)> {
    let of = |level: Level| hazards.iter().copied().filter(|hazard| Level::of(*hazard) == level).collect::<Vec<_>>();
    let levels = [Level::Danger, Level::Caution].map(|level| (level, of(level)));
    levels.into_iter().filter(|(_, hazards)| !hazards.is_empty()).collect()
}

/// What some hazards mean: `rewrites the table, blocks reads and writes while it runs`.
pub(super) fn meaning(hazards: &[Hazard]) -> String {
    let both = hazards.contains(&Hazard::BlocksReads) && hazards.contains(&Hazard::BlocksWrites);
    let words = hazards.iter().filter_map(|hazard| match hazard {
        Hazard::BlocksReads if both => None,
        Hazard::BlocksWrites if both => Some("blocks reads and writes while it runs"),
        other => Some(other.meaning()),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// The flags that allow some hazards.
pub(super) fn allow(hazards: &[Hazard]) -> String {
    hazards.iter().map(|hazard| format!("--allow {hazard}")).collect::<Vec<_>>().join(" ")
}

/// How much an action touches, without its notes; `None` where it says nothing.
pub(super) fn impact(impact: &Impact) -> Option<Sentence> {
    if impact.verb.is_empty() {
        return None;
    }
    let parts = amounts(impact);
    // `drops` needs to say what; `changes new chunks only` has said it.
    if parts.is_empty() && impact.verb.contains(' ') {
        let when = impact.when.as_ref().map(|when| format!(" {when}")).unwrap_or_default();
        return Some(Sentence::of(format!("{}{when}", impact.verb)));
    }
    let counted = [impact.chunks, impact.rows, impact.bytes.map(|bytes| bytes.0)];
    let nothing = counted.iter().any(Option::is_some) && counted.iter().flatten().all(|count| *count == 0);
    let what = if nothing && !impact.verb.contains(' ') {
        "nothing".to_owned()
    } else if parts.is_empty() {
        "an amount that could not be counted".to_owned()
    } else {
        parts.join(", ")
    };
    let when = match &impact.when {
        Some(when) if nothing || parts.is_empty() => format!(" {when}"),
        Some(when) => format!(", {when}"),
        None => String::new(),
    };
    Some(Sentence::of(format!("{} {what}{when}", impact.verb)))
}

fn amounts(impact: &Impact) -> Vec<String> {
    let mut parts = Vec::new();
    parts.extend(impact.chunks.map(|chunks| count(chunks, "chunk")));
    parts.extend(impact.rows.map(|rows| count(rows, "row")));
    parts.extend(impact.bytes.map(|bytes| bytes.to_string()));
    parts.extend(impact.oldest.as_deref().map(|oldest| format!("oldest {}", day(oldest))));
    parts.extend(impact.newest.as_deref().map(|newest| format!("newest {}", day(newest))));
    parts
}

/// A time without its midnight, which says nothing.
fn day(time: &str) -> &str {
    let bare = time.strip_suffix("+00").or_else(|| time.strip_suffix('Z')).unwrap_or(time);
    bare.strip_suffix(" 00:00:00").or_else(|| bare.strip_suffix("T00:00:00")).unwrap_or(time)
}

/// How many of each: `3 to create, 1 to update`.
pub(super) fn totals(summary: &Summary) -> String {
    let parts = [
        (summary.create, "to create"),
        (summary.update, "to update"),
        (summary.replace, "to replace"),
        (summary.remove, "to remove"),
        (summary.blocked, "blocked"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|(number, _)| *number > 0).map(|(number, word)| format!("{number} {word}")).collect();
    if parts.is_empty() { "nothing to do".to_owned() } else { parts.join(", ") }
}

/// A plan in one line.
pub(super) fn verdict(plan: &Plan) -> String {
    let errors = errors(&plan.diagnostics);
    match (plan.is_empty(), errors) {
        (true, 0) if !plan.operations.is_empty() => "Nothing is due.".to_owned(),
        (true, 0) => "No changes. The database matches the policies.".to_owned(),
        (true, _) => format!("Nothing can be planned: {} must be mended first.", many(errors, "error")),
        (false, _) => format!("Plan: {}.", totals(&plan.summary)),
    }
}

/// Why a plan with changes cannot be applied as it is.
pub(super) fn obstacle(plan: &Plan) -> Option<String> {
    let refuses = "apply refuses this plan until";
    match (plan.is_empty(), plan.summary.blocked, errors(&plan.diagnostics)) {
        (true, ..) | (false, 0, 0) => None,
        (false, 0, 1) => Some(format!("{refuses} its error is mended")),
        (false, 0, errors) => Some(format!("{refuses} its {errors} errors are mended")),
        (false, ..) => Some(format!("{refuses} what is blocked is mended")),
    }
}

/// How many errors there are.
pub(super) fn errors(messages: &[Message]) -> usize {
    messages.iter().filter(|message| message.severity == "error").count()
}

/// How many diagnostics of each sort: `2 errors, 1 warning`; empty without any.
pub(super) fn said(messages: &[Message]) -> String {
    let sorts = ["error", "warning", "note"].into_iter();
    let counts = sorts.map(|sort| (messages.iter().filter(|message| message.severity == sort).count(), sort));
    counts.filter(|(number, _)| *number > 0).map(|(number, sort)| many(number, sort)).collect::<Vec<_>>().join(", ")
}

/// A database, for headings.
pub(super) fn target(target: &Target) -> Sentence {
    let place = if target.port == 0 { target.host.clone() } else { format!("{}:{}", target.host, target.port) };
    let version = target.server_version.split_whitespace().next().unwrap_or("of unknown version");
    let timescale = match &target.timescaledb {
        Some(timescale) => {
            let edition = match timescale.license.as_str() {
                "timescale" => "Community edition",
                "apache" => "Apache edition",
                _ => "unknown edition",
            };
            format!("TimescaleDB {}, {edition}", timescale.version)
        }
        None => "without TimescaleDB".to_owned(),
    };
    let database = crate::core::name::quote_identifier(&target.database);
    Sentence::default().code(database).text(" on ").code(place).text(format!(" (PostgreSQL {version}, {timescale})"))
}

/// What a resource's standing means.
pub(super) const fn status(drift: &Drift) -> &'static str {
    match drift.status {
        Status::InSync => "as applied, and as the policy wants it",
        Status::Paused => "paused by an operator, and left so",
        Status::Unmanaged if drift.on.is_none() => "there, and in no policy",
        Status::Unmanaged => "on a managed table, and in no policy",
        Status::Pending if drift.goes => "not wanted by the policy any more, and not removed yet",
        Status::Pending => "wanted by the policy, and not applied yet",
        Status::Drifted => "changed in the database since it was last applied",
        Status::Missing => "applied before, and gone from the database since",
        Status::Conflict => "changed both in the policy and in the database since it was last applied",
    }
}

/// The sign of a standing.
pub(super) const fn status_symbol(drift: &Drift, ascii: bool) -> &'static str {
    match drift.status {
        Status::InSync if ascii => "=",
        Status::InSync => "✓",
        Status::Paused => "=",
        Status::Unmanaged => "?",
        Status::Pending if drift.goes => "-",
        Status::Pending => "+",
        Status::Drifted => "~",
        Status::Missing => "-",
        Status::Conflict => "!",
    }
}

/// Every standing, worst first.
pub(super) const STATUSES: [Status; 7] = [
    Status::Conflict,
    Status::Missing,
    Status::Drifted,
    Status::Pending,
    Status::Paused,
    Status::Unmanaged,
    Status::InSync,
];

/// What became of an action, with the time that it took.
pub(super) fn outcome(outcome: Outcome, elapsed: Duration) -> String {
    match outcome {
        Outcome::Done => clock::elapsed(elapsed),
        Outcome::Failed => format!("failed after {}", clock::elapsed(elapsed)),
        Outcome::Skipped => "not begun".to_owned(),
        Outcome::Cancelled => format!("cancelled after {}", clock::elapsed(elapsed)),
        Outcome::InDoubt => format!("in doubt after {}", clock::elapsed(elapsed)),
    }
}

/// The word of an outcome in a count: `2 failed`.
pub(super) const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Done => "done",
        Outcome::Failed => "failed",
        Outcome::Skipped => "not begun",
        Outcome::Cancelled => "cancelled",
        Outcome::InDoubt => "in doubt",
    }
}

/// The sign of an outcome.
pub(super) const fn outcome_symbol(outcome: Outcome, ascii: bool) -> &'static str {
    match (outcome, ascii) {
        (Outcome::Done, false) => "✓",
        (Outcome::Done, true) => "ok",
        (Outcome::Failed, false) => "✗",
        (Outcome::Failed, true) => "x",
        (Outcome::Skipped, _) => "-",
        (Outcome::Cancelled, _) => "!",
        (Outcome::InDoubt, _) => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Bytes;

    fn said(change: impl FnOnce(&mut Impact)) -> String {
        let mut about = Impact { verb: "drops".to_owned(), ..Impact::default() };
        change(&mut about);
        impact(&about).map(|sentence| sentence.to_string()).unwrap_or_default()
    }

    #[test]
    fn an_impact_says_what_was_counted_and_that_something_was_not() {
        let full = said(|about| {
            about.chunks = Some(12);
            about.rows = Some(1_204_000);
            about.bytes = Some(Bytes(41_016_000_000));
            about.oldest = Some("2026-05-01 00:00:00+00".to_owned());
            about.newest = Some("2026-06-01 12:00:00+00".to_owned());
            about.when = Some("on its first run".to_owned());
        });
        let expected = "drops 12 chunks, 1,204,000 rows, 38.2 GB, oldest 2026-05-01, \
                        newest 2026-06-01 12:00:00+00, on its first run";
        assert_eq!(full, expected);
        assert_eq!(said(|about| about.chunks = Some(1)), "drops 1 chunk");
        assert_eq!(said(|about| about.chunks = Some(0)), "drops nothing");
        assert_eq!(said(|_| ()), "drops an amount that could not be counted");
        assert_eq!(said(|about| about.verb = "changes new chunks only".to_owned()), "changes new chunks only");
        assert_eq!(said(|about| about.verb = String::new()), "");
    }

    #[test]
    fn hazards_of_one_level_are_said_together() {
        let all = by_level(&Hazard::ALL);
        assert_eq!(all.len(), 2);
        assert_eq!(all[0], (Level::Danger, vec![Hazard::DeletesData, Hazard::LeavesBackups]));
        assert_eq!(
            meaning(&all[1].1),
            "rewrites the table, blocks reads and writes while it runs, builds an index over existing rows, \
             takes effect at the next server restart"
        );
        assert_eq!(meaning(&[Hazard::BlocksReads]), "blocks reads while it runs");
    }

    #[test]
    fn a_sentence_knows_names_from_words() {
        let found = Sentence::prose("`a` is not `b`, nor is `");
        let expected = Sentence::of("").code("a").text(" is not ").code("b").text(", nor is `");
        assert_eq!(found, expected);
    }

    #[test]
    fn a_label_says_no_more_than_its_heading_does_not() {
        let table = QualifiedName::new("public", "t");
        let label = |kind: &str, schema: &str, name: &str| {
            let address = Address::in_schema(crate::core::KindId::read(kind), &QualifiedName::new(schema, name));
            Label::within(&address, Some(&table)).to_string()
        };
        assert_eq!(label("retention", "public", "t"), "retention");
        assert_eq!(label("index", "public", "ix"), "index ix");
        assert_eq!(label("index", "other", "Ix"), "index other.\"Ix\"");
        assert_eq!(label("index", "_timescaledb_internal", "ix"), "index ix");
        assert_eq!(label("continuous_aggregate", "public", "t"), "continuous aggregate");
    }
}
