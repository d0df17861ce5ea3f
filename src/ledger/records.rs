//! What is written into the ledger and read back from it.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use crate::core::{Address, Named, Op, QualifiedName, Taken};
use crate::ledger::archived::Archived;
use crate::ledger::event::PolicyPlace;
use crate::ledger::who::Who;
use crate::ledger::words::{ids, words};

ids! {
    /// A database that the ledger knows.
    DatabaseId,
    /// A run.
    RunId,
    /// A statement of a run.
    StepId,
    /// A recorded drift report.
    DriftReportId,
}

impl DatabaseId {
    /// A database that an empty or absent ledger was asked for: everything about it is empty.
    pub(super) const UNKNOWN: Self = Self(0);
}

words! {
    /// What became of a statement.
    StepState {
        /// It was about to be sent, and nothing more is known: in doubt, unless it is running now.
        Started = "started",
        /// It was done, and committed.
        Done = "done",
        /// The server refused it.
        Failed = "failed",
        /// It was cancelled on request, and did nothing.
        Cancelled = "cancelled",
        /// Its outcome was lost on the way.
        InDoubt = "in_doubt",
        /// It was done and undone, with its transaction.
        RolledBack = "rolled_back",
        /// It was in doubt, and looking showed that it had happened.
        SettledDone = "settled_done",
        /// It was in doubt, and looking showed that it had not.
        SettledNotDone = "settled_not_done",
    }
}

words! {
    /// How a run ended.
    RunOutcome {
        /// Everything that it set out to do was done.
        Done = "done",
        /// A statement failed, and the rest was not tried.
        Failed = "failed",
        /// It was interrupted on request.
        Cancelled = "cancelled",
        /// The outcome of a statement was lost.
        InDoubt = "in_doubt",
        /// The process went away without a word.
        Crashed = "crashed",
    }
}

words! {
    /// A run's outcome, or what an unfinished one is taken for.
    RunState {
        /// See [`RunOutcome::Done`].
        Done = "done",
        /// See [`RunOutcome::Failed`].
        Failed = "failed",
        /// See [`RunOutcome::Cancelled`].
        Cancelled = "cancelled",
        /// See [`RunOutcome::InDoubt`].
        InDoubt = "in_doubt",
        /// See [`RunOutcome::Crashed`]; also an unfinished run whose process is known to be gone.
        Crashed = "crashed",
        /// It goes on, or was killed where nobody here can see it.
        Unfinished = "unfinished",
    }
}

words! {
    /// How a resource came to be Chronoform's.
    Origin {
        /// Chronoform made it.
        Created = "created",
        /// It was found, and taken over as it was.
        Adopted = "adopted",
    }
}

words! {
    /// What a run did to the ledger's memory of a resource.
    Memory {
        /// It was applied or adopted.
        Applied = "applied",
        /// It was removed, or given up.
        Forgotten = "forgotten",
    }
}

/// A moment in microseconds since 1970, UTC. Prints, and serialises, as RFC 3339.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Moment(pub i64);

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a run begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RunStart {
    /// The command as typed, without what could hold a secret: `apply`, `import`, `run backup`.
    pub command: String,
    /// Who runs it.
    pub who: Who,
    /// The database role that the session acts as.
    pub role: Option<String>,
    /// The digest of the plan that is applied.
    pub plan_digest: Option<String>,
    /// The digest of the policies that the plan came from.
    pub policies_digest: Option<String>,
}

/// A statement that is about to be sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepStart<'a> {
    /// The action's place in the plan, from 0.
    pub action: u32,
    /// The statement's place in the action, from 0.
    pub index: u32,
    /// The action's verb.
    pub op: Op,
    /// The action's resource.
    pub address: &'a Address,
    /// The statement, exactly as it will be sent. It is stored: it must hold no secret.
    pub sql: &'a str,
    /// Whether it runs inside a transaction.
    pub transactional: bool,
    /// What goes with what it makes anew.
    pub along: &'a [Taken],
    /// What it does with archives.
    pub archived: &'a [Archived],
}

/// What became of a statement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StepEnd {
    pub(super) state: StepState,
    pub(super) error: Option<String>,
    pub(super) sqlstate: Option<String>,
    pub(super) elapsed: Option<Duration>,
}

impl StepEnd {
    const fn new(state: StepState) -> Self {
        Self { state, error: None, sqlstate: None, elapsed: None }
    }

    /// It was done, and its transaction, if any, committed.
    pub const fn done() -> Self {
        Self::new(StepState::Done)
    }

    /// The server refused it.
    pub fn failed(error: impl Into<String>, sqlstate: Option<&str>) -> Self {
        Self { error: Some(error.into()), sqlstate: sqlstate.map(str::to_owned), ..Self::new(StepState::Failed) }
    }

    /// It was cancelled on request.
    pub const fn cancelled() -> Self {
        Self::new(StepState::Cancelled)
    }

    /// It was done and undone with its transaction.
    pub const fn rolled_back() -> Self {
        Self::new(StepState::RolledBack)
    }

    /// Its outcome was lost; the error says how.
    pub fn in_doubt(error: impl Into<String>) -> Self {
        Self { error: Some(error.into()), ..Self::new(StepState::InDoubt) }
    }

    /// With how long it took.
    #[must_use]
    pub const fn after(mut self, elapsed: Duration) -> Self {
        self.elapsed = Some(elapsed);
        self
    }
}

/// A database, as the ledger knows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct DatabaseRecord {
    /// Its number here.
    pub id: DatabaseId,
    /// The cluster's system identifier.
    pub system_identifier: String,
    /// The database's OID, which a database that is dropped and created again does not keep.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// The host as first connected to.
    pub host: String,
    /// The port as first connected to.
    pub port: u16,
    /// When it was first seen.
    pub first_seen: Moment,
    /// The target's name in `chronoform.yaml`, where one was given when it was first seen.
    pub target: Option<String>,
}

impl fmt::Display for DatabaseRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` on {}:{} (system {}, OID {})",
            self.name, self.host, self.port, self.system_identifier, self.oid
        )
    }
}

/// A run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RunRecord {
    /// Its number here.
    pub id: RunId,
    /// The database it worked on.
    pub database: DatabaseRecord,
    /// The command.
    pub command: String,
    /// How it ended, or what it is taken for.
    pub state: RunState,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub finished: Option<Moment>,
    /// Who ran it.
    pub who: Who,
    /// The database role that the session acted as.
    pub role: Option<String>,
    /// The digest of the plan.
    pub plan_digest: Option<String>,
    /// The digest of the policies.
    pub policies_digest: Option<String>,
    /// What it did, a count by name; empty while it is unfinished.
    pub summary: BTreeMap<String, u64>,
    /// How its statements stand.
    pub steps: StepCounts,
}

/// How the statements of a run stand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct StepCounts {
    /// All of them.
    pub total: u64,
    /// Done, or settled as done.
    pub done: u64,
    /// Failed.
    pub failed: u64,
    /// Started without an outcome, or with a lost one.
    pub in_doubt: u64,
}

/// A statement of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StepRecord {
    /// Its number here.
    pub id: StepId,
    /// The run.
    pub run: RunId,
    /// The action's place in the plan, from 0.
    pub action: u32,
    /// The statement's place in the action, from 0.
    pub index: u32,
    /// The action's verb.
    pub op: Op,
    /// The action's resource.
    #[serde(flatten, serialize_with = "address_parts")]
    pub address: Address,
    /// The statement as it was sent.
    pub sql: String,
    /// Whether it ran inside a transaction.
    pub transactional: bool,
    /// What became of it.
    pub state: StepState,
    /// When it was about to be sent.
    pub started: Moment,
    /// When its outcome was recorded.
    pub finished: Option<Moment>,
    /// The server's message.
    pub error: Option<String>,
    /// The server's SQLSTATE.
    pub sqlstate: Option<String>,
    /// How long it took.
    pub elapsed_ms: Option<u64>,
    /// How a statement in doubt was settled.
    pub note: Option<String>,
}

/// A resource as last applied.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ResourceRecord {
    /// Which resource.
    #[serde(flatten, serialize_with = "address_parts")]
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
    /// The managed attributes as they were after the last apply.
    #[serde(serialize_with = "crate::core::as_map")]
    pub attributes: Named<Json>,
    /// How it came to be Chronoform's.
    pub origin: Origin,
    /// The run that recorded it last.
    pub run: RunId,
    /// When that was.
    pub applied_at: Moment,
    /// Where a policy asked for it.
    pub policy: Option<PolicyPlace>,
}

/// What a run did of a change that it has not ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BegunRecord {
    /// The run.
    pub run: RunId,
    /// Whether it took a job away that was paused, and is to be made again as one that is.
    pub paused: bool,
    /// Whether it took the resource away, and was to make it again afterwards.
    pub away: bool,
}

/// What a run did to one resource.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ResourceChange {
    /// Which resource.
    #[serde(flatten, serialize_with = "address_parts")]
    pub address: Address,
    /// What was done.
    pub change: Memory,
    /// When.
    pub at: Moment,
    /// How it came to be Chronoform's, where it was applied.
    pub origin: Option<Origin>,
    /// The managed attributes, where it was applied.
    pub attributes: Option<BTreeMap<String, Json>>,
    /// Where a policy asked for it.
    pub policy: Option<PolicyPlace>,
    /// The address that it had before, where it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<String>,
}

/// Everything about one run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct RunDetail {
    /// The run itself.
    pub run: RunRecord,
    /// Its statements, in the order in which they were sent.
    pub steps: Vec<StepRecord>,
    /// What it did to resources, in order.
    pub resources: Vec<ResourceChange>,
}

/// An address in JSON: as printed, and in its parts.
fn address_parts<S: Serializer>(address: &Address, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Parts<'a> {
        address: String,
        kind: &'a str,
        schema: Option<&'a str>,
        name: &'a str,
    }
    let parts = Parts {
        address: address.to_string(),
        kind: address.kind.as_str(),
        schema: address.schema.as_deref(),
        name: &address.name,
    };
    parts.serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        assert!(StepState::ALL.iter().all(|state| StepState::read(state.as_str()) == Some(*state)));
        for outcome in RunOutcome::ALL {
            assert!(RunState::read(outcome.as_str()).is_some(), "{outcome} is no state");
        }
        assert_eq!(RunState::read("lost"), None);
        assert_eq!(serde_json::to_string(&StepState::SettledNotDone).unwrap(), "\"settled_not_done\"");
    }

    #[test]
    fn a_moment_prints_as_rfc_3339() {
        assert_eq!(Moment(1_767_225_600_000_001).to_string(), "2026-01-01T00:00:00.000001Z");
        assert_eq!(Moment(0).to_string(), "1970-01-01T00:00:00Z");
        assert!(Moment(i64::MAX).to_string().ends_with("µs"));
    }

    #[test]
    fn the_number_of_a_run_is_read_as_typed() {
        assert_eq!(" 12".parse(), Ok(RunId(12)));
        assert!("last".parse::<RunId>().is_err());
    }
}
