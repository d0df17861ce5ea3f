//! What will be done: actions, their steps, and what they cost.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::core::{Address, Bytes, Fingerprint, QualifiedName, Reason, Value};

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
}

impl Hazard {
    /// Every hazard.
    pub const ALL: [Self; 6] = [
        Self::DeletesData,
        Self::RewritesTable,
        Self::BlocksWrites,
        Self::BlocksReads,
        Self::BuildsIndex,
        Self::NeedsRestart,
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
    /// Anything else worth saying, a sentence each.
    pub notes: Vec<String>,
}

impl Impact {
    /// Whether this counts more than an earlier count did: more chunks, rows or bytes, or a newer
    /// end. What one of them could not tell says nothing: an estimate of rows comes with the first
    /// ANALYZE, without a row more.
    pub fn has_grown_since(&self, earlier: &Self) -> bool {
        fn more<T: PartialOrd>(now: &Option<T>, then: &Option<T>) -> bool {
            matches!((now, then), (Some(now), Some(then)) if now > then)
        }
        more(&self.chunks, &earlier.chunks)
            || more(&self.rows, &earlier.rows)
            || more(&self.bytes, &earlier.bytes)
            || more(&self.newest, &earlier.newest)
    }
}

/// One statement of an action.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// The statement, exactly as it will be sent.
    pub sql: String,
    /// Whether it can run inside a transaction.
    pub transactional: bool,
    /// The strongest lock it takes; `None` where it takes none worth naming.
    pub lock: Option<Lock>,
}

/// One attribute that an action changes, as plans store it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AttributeChange {
    /// The attribute's name.
    pub name: String,
    /// Its live value; null where there is none.
    pub before: Json,
    /// Its desired value; null on removal.
    pub after: Json,
}

/// A place in a policy file, as plans store it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SourceLine {
    /// The file's path as the user gave it.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl From<&crate::core::Place> for SourceLine {
    fn from(place: &crate::core::Place) -> Self {
        Self { file: place.file.to_string(), line: place.line }
    }
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
    pub desired: BTreeMap<String, Value>,
    /// What the plan saw of the live resource.
    pub fingerprint: Fingerprint,
    /// Where the policy asks for it; `None` where it no longer does.
    pub source: Option<SourceLine>,
}
