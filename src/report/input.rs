//! What views are made of, beside the plan: plain data that whoever ran or read something fills in.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::core::{Address, Op, QualifiedName};
use crate::diff::Drift;
use crate::plan::{Due, Message, Target};
use crate::report::evidence::Evidence;

/// What `drift` found.
#[derive(Clone, Copy, Debug)]
pub struct DriftReport<'a> {
    /// The version of Chronoform that looked.
    pub tool_version: &'a str,
    /// The database.
    pub target: &'a Target,
    /// Every resource's standing.
    pub drift: &'a [Drift],
    /// What was said while looking.
    pub diagnostics: &'a [Message],
    /// What is known of the differences.
    pub evidence: &'a Evidence,
    /// The differences that `run` closes, and not `apply`.
    pub due: &'a [Due],
}

/// How an action of a run ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All its steps were done.
    Done,
    /// The server refused a step.
    Failed,
    /// It was not begun.
    Skipped,
    /// It was cancelled on request.
    Cancelled,
    /// The outcome of a step was lost on the way.
    InDoubt,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [Self::Done, Self::Failed, Self::Skipped, Self::Cancelled, Self::InDoubt];
}

/// What became of one action.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ActionOutcome {
    /// The resource.
    pub address: Address,
    /// The relation that it belongs to.
    pub on: Option<QualifiedName>,
    /// The verb.
    pub op: Op,
    /// How it ended.
    pub outcome: Outcome,
    /// How long its steps took; zero where it was not begun.
    pub elapsed: Duration,
    /// The server's message, where it failed or is in doubt.
    pub error: Option<String>,
    /// How many of its steps are done, and not undone with their transaction.
    pub steps_done: usize,
    /// How many it has.
    pub steps_total: usize,
}

/// The step at which a run stopped early.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoppedAt {
    /// The action's resource.
    pub address: Address,
    /// The step's number in the action, from 1.
    pub step: usize,
    /// Its statement.
    pub sql: String,
}

/// What a run did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RunReport {
    /// The run's number in the ledger.
    pub run: Option<i64>,
    /// The database's name.
    pub database: String,
    /// What the configuration calls it, for the commands that are suggested.
    pub target: Option<String>,
    /// Every action of the plan, in its order.
    pub actions: Vec<ActionOutcome>,
    /// How many resources were recorded as managed without being touched.
    pub adopted: usize,
    /// From the first statement to the last outcome.
    pub elapsed: Duration,
    /// Whether somebody asked it to stop.
    pub interrupted: bool,
    /// Where it stopped, if it did.
    pub stopped_at: Option<StoppedAt>,
}

impl RunReport {
    /// How many actions ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.actions.iter().filter(|action| action.outcome == outcome).count()
    }

    /// Whether everything was done.
    pub fn is_complete(&self) -> bool {
        self.actions.iter().all(|action| action.outcome == Outcome::Done)
    }
}

/// One run in a ledger's log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LogLine {
    /// The run's number.
    pub run: i64,
    /// When it began, in microseconds since 1970 UTC.
    pub when: i64,
    /// The command.
    pub command: String,
    /// Who ran it, and where: `ada@build-3`.
    pub who: String,
    /// The database's name.
    pub database: String,
    /// How it ended: `done`, `failed`, `cancelled`, `in_doubt`, `crashed`, `unfinished`.
    pub outcome: String,
    /// What it did, a count by name.
    pub summary: BTreeMap<String, u64>,
    /// How long it took, where it ended.
    pub elapsed: Option<Duration>,
}

/// Everything about one run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct RunDetail {
    /// The run itself.
    #[serde(flatten, serialize_with = "crate::report::json::log_line")]
    pub run: LogLine,
    /// The database role that it acted as.
    pub role: Option<String>,
    /// The digest of the plan.
    pub plan_digest: Option<String>,
    /// The digest of the policies.
    pub policies_digest: Option<String>,
    /// Its statements, in the order in which they were sent.
    pub steps: Vec<StepLine>,
    /// What it did to resources, in order.
    pub resources: Vec<ResourceLine>,
}

/// A statement of a run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct StepLine {
    /// The action's resource, printed.
    pub address: String,
    /// The action's verb.
    pub op: Op,
    /// The statement as it was sent.
    pub sql: String,
    /// What became of it: `done`, `failed`, `in_doubt`, …
    pub state: String,
    /// How long it took.
    #[serde(serialize_with = "crate::report::json::optional_seconds", rename = "seconds")]
    pub elapsed: Option<Duration>,
    /// The server's message.
    pub error: Option<String>,
    /// How a statement in doubt was settled.
    pub note: Option<String>,
}

/// What a run did to one resource's record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ResourceLine {
    /// The resource, printed.
    pub address: String,
    /// What was done: `applied`, `adopted`, `forgotten`.
    pub change: String,
}

/// What verifying a ledger found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Verification {
    /// The ledger's file.
    pub file: String,
    /// How many entries were read.
    pub entries: u64,
    /// The hash of the last one, to be kept elsewhere.
    pub head: Option<String>,
    /// What does not hold, in order; empty where all is well.
    pub problems: Vec<Problem>,
}

/// Something in a ledger that does not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Problem {
    /// The entry's number, where it is one entry's.
    pub entry: Option<i64>,
    /// What is wrong.
    pub message: String,
}
