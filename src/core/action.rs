//! What will be done: actions, their steps, and what they cost.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::core::{Address, Bytes, Fingerprint, Named, QualifiedName, Reason, Task, Value};

/// The verb of an action.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// It comes to be.
    Create,
    /// It is altered in place.
    Update,
    /// It is removed and created anew.
    Replace,
    /// It is removed.
    Remove,
    /// It must change, and cannot: the diagnostics say why.
    Blocked,
}

impl Op {
    /// Every verb.
    pub const ALL: [Self; 5] = [Self::Create, Self::Update, Self::Replace, Self::Remove, Self::Blocked];

    /// The word used in plans.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Replace => "replace",
            Self::Remove => "remove",
            Self::Blocked => "blocked",
        }
    }
}

/// PostgreSQL's table-level lock modes, weakest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LockMode {
    /// `ACCESS SHARE`: a reader.
    AccessShare,
    /// `ROW SHARE`.
    RowShare,
    /// `ROW EXCLUSIVE`: a writer.
    RowExclusive,
    /// `SHARE UPDATE EXCLUSIVE`: against vacuum and schema changes.
    ShareUpdateExclusive,
    /// `SHARE`: against writers.
    Share,
    /// `SHARE ROW EXCLUSIVE`.
    ShareRowExclusive,
    /// `EXCLUSIVE`: only readers get by.
    Exclusive,
    /// `ACCESS EXCLUSIVE`: nothing gets by. Also what an unknown lock is taken for.
    AccessExclusive,
}

impl LockMode {
    /// Every mode, weakest first.
    pub const ALL: [Self; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// As PostgreSQL's manual spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// Reads [`Self::as_str`]'s words; anything else is the strongest.
    pub fn read(words: &str) -> Self {
        Self::ALL.into_iter().find(|mode| mode.as_str() == words).unwrap_or(Self::AccessExclusive)
    }

    /// What cannot go on while the lock is held.
    pub const fn blocks(self) -> &'static str {
        match self {
            Self::AccessShare | Self::RowShare | Self::RowExclusive => "nothing in normal use",
            Self::ShareUpdateExclusive => "vacuum and schema changes",
            Self::Share | Self::ShareRowExclusive | Self::Exclusive => "writes",
            Self::AccessExclusive => "reads and writes",
        }
    }
}

impl Serialize for LockMode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for LockMode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::read(&String::deserialize(deserializer)?))
    }
}

/// A lock that a step takes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lock {
    /// How strong.
    pub mode: LockMode,
    /// On what, in words: a table's name, or `each chunk of …`.
    pub on: String,
    /// What cannot go on meanwhile: [`LockMode::blocks`].
    pub blocks: String,
}

/// A danger that must be allowed by name before a plan with it is applied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hazard {
    /// Rows go away, now or by a policy's next run.
    DeletesData,
    /// A table or its chunks are written anew.
    RewritesTable,
    /// Writes wait for longer than a catalog change takes.
    BlocksWrites,
    /// Reads wait for longer than a catalog change takes.
    BlocksReads,
    /// An index is built over existing rows: time, disk and I/O.
    BuildsIndex,
    /// Nothing happens before the server restarts.
    NeedsRestart,
    /// What was backed up before is out of sight from then on.
    LeavesBackups,
}

impl Hazard {
    /// Every hazard.
    pub const ALL: [Self; 7] = [
        Self::DeletesData,
        Self::RewritesTable,
        Self::BlocksWrites,
        Self::BlocksReads,
        Self::BuildsIndex,
        Self::NeedsRestart,
        Self::LeavesBackups,
    ];

    /// The name that `--allow` takes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DeletesData => "deletes_data",
            Self::RewritesTable => "rewrites_table",
            Self::BlocksWrites => "blocks_writes",
            Self::BlocksReads => "blocks_reads",
            Self::BuildsIndex => "builds_index",
            Self::NeedsRestart => "needs_restart",
            Self::LeavesBackups => "leaves_backups",
        }
    }

    /// Reads [`Self::as_str`]'s name.
    pub fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hazard| hazard.as_str() == name)
    }

    /// What it means, in words.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::DeletesData => "deletes data",
            Self::RewritesTable => "rewrites the table",
            Self::BlocksWrites => "blocks writes while it runs",
            Self::BlocksReads => "blocks reads while it runs",
            Self::BuildsIndex => "builds an index over existing rows",
            Self::NeedsRestart => "takes effect at the next server restart",
            Self::LeavesBackups => "leaves behind what was backed up before",
        }
    }
}

impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How much an action touches, counted when the plan was made.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Impact {
    /// What happens to it: `drops`, `compresses`, `builds an index over`.
    pub verb: String,
    /// When, where that is not at apply: `on its first run`.
    pub when: Option<String>,
    /// Chunks touched.
    pub chunks: Option<u64>,
    /// Rows touched: exact, or the server's estimate.
    pub rows: Option<u64>,
    /// Bytes on disk touched.
    pub bytes: Option<Bytes>,
    /// The beginning of the oldest range touched, as the server prints it in UTC.
    pub oldest: Option<String>,
    /// The end of the newest.
    pub newest: Option<String>,
    /// Exactly which chunks are touched, by the OIDs of their relations, in order; empty where that
    /// is not known or there are too many to list. Only apply reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chunk_ids: Vec<i64>,
    /// The digest of such a list that is too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chunk_digest: Option<Fingerprint>,
    /// What of it can never be had again, where the rest is made anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
    /// What of it is made anew from a part of its rows, where the others are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_part: Option<InPart>,
    /// What goes along with it and does not come back, each as plans name it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub along: BTreeSet<String>,
    /// Anything else worth saying, a sentence each.
    pub notes: Vec<String>,
}

/// What is lost for good of something that is made anew from rows of which some are gone.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lost {
    /// How many rows, counted.
    pub rows: u64,
    /// The time of the first of them, as the server prints it in UTC.
    pub first: String,
    /// The time of the last.
    pub last: String,
}

/// What is made anew from a part of the rows that it was made from.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct InPart {
    /// How many buckets.
    pub buckets: u64,
    /// Where the first of them begins to have rows, as the server prints it in UTC; nothing where it has them from
    /// its beginning on.
    pub since: Option<String>,
}

impl InPart {
    /// Whether an earlier look did not have all of this in it.
    fn has_grown_since(&self, earlier: &Self) -> bool {
        let later = match (&self.since, &earlier.since) {
            (Some(now), Some(then)) => is_later(now, then),
            _ => false,
        };
        later || self.buckets > earlier.buckets
    }
}

impl Lost {
    /// Whether an earlier count did not have all of this in it.
    fn has_grown_since(&self, earlier: &Self) -> bool {
        self.rows > earlier.rows || is_later(&self.last, &earlier.last) || is_later(&earlier.first, &self.first)
    }
}

/// The most chunks that a plan lists one by one: more would make it megabytes long.
const LISTED_CHUNKS: usize = 20_000;

impl Impact {
    /// The same with exactly these chunks.
    #[must_use]
    pub fn of_chunks(mut self, mut ids: Vec<i64>) -> Self {
        ids.sort_unstable();
        if ids.len() <= LISTED_CHUNKS {
            self.chunk_ids = ids;
        } else {
            let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_be_bytes()).collect();
            self.chunk_digest = Some(Fingerprint::of(&bytes));
        }
        self
    }

    /// Whether this touches what an earlier count did not: more that is lost for good or made anew from a
    /// part of its rows, a chunk that was not in its list, or, where it had no list, more chunks or a newer
    /// end. Rows and bytes say nothing, for VACUUM and ANALYZE alone change them; neither does what one of
    /// the two could not tell.
    pub fn has_grown_since(&self, earlier: &Self) -> bool {
        let more_is_lost = match (&self.lost, &earlier.lost) {
            (Some(now), Some(then)) => now.has_grown_since(then),
            (now, _) => now.is_some(),
        };
        let more_is_part = match (&self.in_part, &earlier.in_part) {
            (Some(now), Some(then)) => now.has_grown_since(then),
            (now, _) => now.is_some(),
        };
        if more_is_lost || more_is_part {
            return true;
        }
        if let Some(grown) = self.has_other_chunks_than(earlier) {
            return grown;
        }
        matches!((self.chunks, earlier.chunks), (Some(now), Some(then)) if now > then)
            || matches!((&self.newest, &earlier.newest), (Some(now), Some(then)) if is_later(now, then))
    }

    /// What this takes along that an earlier look did not name.
    pub fn taken_along_since<'a>(&'a self, earlier: &'a Self) -> impl Iterator<Item = &'a str> {
        self.along.difference(&earlier.along).map(String::as_str)
    }

    /// By the chunks themselves; `None` where the earlier count did not say which. Of a digest only
    /// equality can be told, and chunks that cannot be named any more may be any.
    fn has_other_chunks_than(&self, earlier: &Self) -> Option<bool> {
        if earlier.chunk_digest.is_some() {
            return Some(self.chunk_digest != earlier.chunk_digest);
        }
        if earlier.chunk_ids.is_empty() {
            return None;
        }
        let then: BTreeSet<i64> = earlier.chunk_ids.iter().copied().collect();
        Some(self.chunk_ids.is_empty() || self.chunk_ids.iter().any(|id| !then.contains(id)))
    }
}

/// Whether one end of a range is after another: whole numbers by their size, and timestamps, which
/// the server prints in one style, as text.
fn is_later(now: &str, then: &str) -> bool {
    match (now.parse::<i64>(), then.parse::<i64>()) {
        (Ok(now), Ok(then)) => now > then,
        _ => now > then,
    }
}

/// One statement of an action.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// The statement, exactly as it will be sent.
    pub sql: String,
    /// Whether it can run inside a transaction.
    pub transactional: bool,
    /// The strongest lock it takes; `None` where it takes none worth naming.
    pub lock: Option<Lock>,
    /// Whether it is a transaction of its own, so that what it did stays whatever becomes of the next.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub separate: bool,
    /// Where it is more than a statement: the work. The statement then only tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
}

impl Step {
    /// Whether another does the same to the same.
    pub fn does_the_same(&self, other: &Self) -> bool {
        let same = |(one, other): (&Task, &Task)| one.does_the_same(other);
        let tasks = self.task.as_ref().zip(other.task.as_ref());
        let work = if tasks.is_some() { tasks.is_none_or(same) } else { self.task == other.task };
        let rest = |step: &Self| (step.sql.clone(), step.transactional, step.lock.clone(), step.separate);
        work && rest(self) == rest(other)
    }
}

/// One attribute that an action changes, as plans store it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttributeChange {
    /// The attribute's name.
    pub name: String,
    /// What it is called in reports, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Its live value; null where there is none.
    pub before: Json,
    /// Its desired value; null on removal.
    pub after: Json,
    /// Both sides in one form, where they are written so differently that a comparison of them as they are
    /// would say nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alike: Option<Alike>,
}

/// Two sides of a change laid out for reading, in the server's own form as far as it can be asked for that: a line an
/// item, so that a diff of them shows what differs and nothing else.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Alike {
    /// What is live.
    pub before: String,
    /// What is desired.
    pub after: String,
}

impl AttributeChange {
    /// What it is called in reports.
    pub fn words(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }
}

/// A place in a policy file, as plans store it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct SourceLine {
    /// The file's path as the user gave it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl SourceLine {
    /// The place, as far as it is known: the beginning of the line.
    pub fn place(&self) -> crate::core::Place {
        crate::core::Place { file: self.file.as_str().into(), line: self.line, column: 1, start: 0, end: 0, via: None }
    }
}

impl From<&crate::core::Place> for SourceLine {
    fn from(place: &crate::core::Place) -> Self {
        Self { file: place.file.to_string(), line: place.line }
    }
}

/// A class that gave a document something, as plans store it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct FromClass {
    /// The class's name.
    pub class: String,
    /// Where it says so.
    pub source: SourceLine,
}

/// One resource to be changed, and how.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Action {
    /// Which resource.
    #[serde(flatten)]
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
    /// The verb.
    pub op: Op,
    /// Why.
    pub reason: Reason,
    /// What differs.
    pub attributes: Vec<AttributeChange>,
    /// The statements, in order. Consecutive transactional ones share a transaction.
    pub steps: Vec<Step>,
    /// What must be allowed.
    pub hazards: Vec<Hazard>,
    /// What it touches, where that was counted.
    pub impact: Option<Impact>,
    /// The policy's `protect: true`.
    pub protect: bool,
    /// All that the policy manages of the resource, as settled; empty on removal.
    #[serde(serialize_with = "crate::core::as_map")]
    pub desired: Named<Value>,
    /// What the plan saw of the live resource.
    pub fingerprint: Fingerprint,
    /// Where the policy asks for it; `None` where it no longer does.
    pub source: Option<SourceLine>,
    /// Which of the attributes that it changes a class gives, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub classes: BTreeMap<String, FromClass>,
    /// What goes with what it makes anew, each to be made again by an action of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<Taken>,
}

/// A resource that goes with what an action makes anew.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// Which resource.
    #[serde(flatten)]
    pub address: Address,
    /// Whether it is a job that is paused, and is to be made again as one that is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Whether it is away until its own action: otherwise the same transaction makes it again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub away: bool,
    /// Whether the statements that make it again are among those of the action that takes it along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub within: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn until(newest: &str) -> Impact {
        Impact { newest: Some(newest.to_owned()), ..Impact::default() }
    }

    fn of(ids: &[i64]) -> Impact {
        Impact { chunks: Some(ids.len() as u64), ..Impact::default() }.of_chunks(ids.to_vec())
    }

    #[test]
    fn a_later_end_is_growth_for_numbers_and_for_times() {
        assert!(until("1000").has_grown_since(&until("500")));
        assert!(!until("500").has_grown_since(&until("1000")));
        assert!(until("2026-02-01").has_grown_since(&until("2026-01-01")));
        assert!(!until("2026-02-01").has_grown_since(&until("2026-02-01")));
        assert!(!Impact::default().has_grown_since(&until("2026-02-01")));
        let part = |buckets: u64, since: Option<&str>| {
            let since = since.map(str::to_owned);
            Impact { in_part: Some(InPart { buckets, since }), ..Impact::default() }
        };
        assert!(part(1, None).has_grown_since(&Impact::default()));
        assert!(part(2, Some("2026-01-02")).has_grown_since(&part(1, Some("2026-01-02"))));
        assert!(part(1, Some("2026-01-03")).has_grown_since(&part(1, Some("2026-01-02"))));
        assert!(!part(1, Some("2026-01-02")).has_grown_since(&part(2, Some("2026-01-02"))));
    }

    #[test]
    fn another_set_of_chunks_is_growth_however_many_it_has() {
        assert!(!of(&[3, 1]).has_grown_since(&of(&[1, 2, 3])), "fewer");
        assert!(!of(&[1, 2, 3]).has_grown_since(&of(&[3, 2, 1])), "the same");
        assert!(of(&[1, 2, 4]).has_grown_since(&of(&[1, 2, 3])), "as many, but others");
        assert!(of(&[4]).has_grown_since(&of(&[1, 2, 3])), "fewer, but another");
        let unknown = Impact { verb: "drops an unknown number of chunks".to_owned(), ..Impact::default() };
        assert!(unknown.has_grown_since(&of(&[1])), "any");
        assert!(!of(&[1]).has_grown_since(&unknown), "all were taken for going");
        let count = |chunks| Impact { chunks: Some(chunks), ..Impact::default() };
        assert!(of(&[1, 2]).has_grown_since(&count(1)), "a plan without a list is gone by its count");
        assert!(!of(&[1, 2]).has_grown_since(&count(2)));
    }

    #[test]
    fn what_vacuum_and_analyze_change_is_no_growth() {
        let then = Impact { rows: Some(10), bytes: Some(Bytes(8192)), ..of(&[1, 2]) };
        let now = Impact { rows: Some(12), bytes: Some(Bytes(16384)), ..of(&[1, 2]) };
        assert!(!now.has_grown_since(&then));
        let then = Impact { rows: Some(10), bytes: Some(Bytes(8192)), ..Impact::default() };
        let now = Impact { rows: Some(12), bytes: Some(Bytes(16384)), ..Impact::default() };
        assert!(!now.has_grown_since(&then));
    }

    #[test]
    fn more_that_is_lost_for_good_is_growth_though_the_chunks_are_the_same() {
        let lost = |rows, first: &str, last: &str| {
            let lost = Lost { rows, first: first.to_owned(), last: last.to_owned() };
            Impact { lost: Some(lost), ..of(&[1]) }
        };
        let then = lost(24, "2026-01-01", "2026-01-02");
        assert!(then.has_grown_since(&of(&[1])), "nothing was to be lost");
        assert!(!of(&[1]).has_grown_since(&then));
        assert!(!then.has_grown_since(&then));
        assert!(lost(25, "2026-01-01", "2026-01-02").has_grown_since(&then), "more rows");
        assert!(lost(24, "2026-01-01", "2026-01-03").has_grown_since(&then), "up to later");
        assert!(lost(24, "2025-12-31", "2026-01-02").has_grown_since(&then), "from earlier on");
        assert!(!lost(12, "2026-01-02", "2026-01-02").has_grown_since(&then), "less");
        assert!(lost(9, "5", "10").has_grown_since(&lost(9, "5", "9")), "numbers by their size");
    }

    #[test]
    fn what_goes_along_is_told_apart_by_name() {
        let with = |names: &[&str]| Impact {
            along: names.iter().map(|name| (*name).to_owned()).collect(),
            ..Impact::default()
        };
        let since = |now: &Impact, then: &Impact| now.taken_along_since(then).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(since(&with(&["index a", "index b"]), &with(&["index b"])), ["index a"]);
        assert!(since(&with(&["index b"]), &with(&["index a", "index b"])).is_empty());
    }

    #[test]
    fn a_list_too_long_for_a_plan_is_compared_by_its_digest() {
        let many: Vec<i64> = (0..20_001).collect();
        let then = of(&many);
        assert!(then.chunk_ids.is_empty() && then.chunk_digest.is_some());
        assert!(!of(&many).has_grown_since(&then));
        assert!(of(&many[1..]).has_grown_since(&then), "what went and what came cannot be told apart");
        assert!(then.has_grown_since(&of(&many[1..])));
    }

    #[test]
    fn a_plan_from_before_there_were_lists_is_still_read() {
        let mut json = serde_json::to_value(of(&[1])).unwrap();
        assert_eq!(json["chunk_ids"], serde_json::json!([1]));
        json.as_object_mut().unwrap().remove("chunk_ids");
        assert_eq!(serde_json::from_value::<Impact>(json).unwrap().chunk_ids, Vec::<i64>::new());
    }
}
