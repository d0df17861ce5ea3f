//! Lock, gate, execute: a plan's statements, and no others.
//!
//! The types carry the order: only [`lock`] makes a [`Locked`], only [`gate`] turns one into a
//! [`Ready`], and only that can [`run`]. What happens is told to [`Events`]; this room writes no
//! ledger and prints nothing.

mod again;
mod gate;
mod interrupt;
mod lock;
mod patience;
mod run;
mod several;
mod verify;

use std::time::Duration;

use crate::core::{Action, Step, Task};
use crate::diag::{Code, Failure};
use crate::pg::{PgError, Session};

pub use gate::{Ready, gate, permit};
pub use interrupt::Interrupt;
pub use lock::{Locked, lock};
pub use run::run;
pub use several::{Meeting, Worker};
pub use verify::{Verified, verify};

/// How one step ended.
#[derive(Clone, PartialEq, Debug)]
pub enum StepOutcome {
    /// It happened.
    Done,
    /// The server refused it; nothing of it remains, unless it was not transactional.
    Failed(PgError),
    /// It had happened, and was undone with the rest of its transaction.
    RolledBack,
    /// Work that is more than a statement did not succeed, for a reason that has a code of its own.
    Refused(&'static Code, PgError),
    /// It was cancelled on request.
    Cancelled,
    /// The connection broke: nobody knows until somebody looks.
    InDoubt(PgError),
}

/// How one action ended.
#[derive(Clone, PartialEq, Debug)]
pub enum ActionOutcome {
    /// All of its steps happened.
    Done,
    /// A step failed, was cancelled or is in doubt; carries that step's number and outcome.
    Stopped(usize, StepOutcome),
    /// It was never begun.
    Skipped,
}

/// Who does the steps that are more than a statement.
pub trait Tasks {
    /// Does the work of a step, on the session that holds the lock. It must bear to be done again from
    /// the start, whatever became of an earlier try. An interruption is to be heeded where nothing is
    /// half done; `tell` takes a word about how far it is.
    ///
    /// # Errors
    /// What stopped it. What the server or a file said is in the message.
    fn carry_out(
        &mut self,
        action: &Action,
        task: &Task,
        session: &mut Session,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), StepOutcome>;

    /// Who does some tasks of an action at the same time, each on a session of its own; nobody where they are to
    /// be done one after another, on the session that holds the lock.
    ///
    /// # Errors
    /// When there is no session for them.
    fn workers(
        &mut self,
        _tasks: &[&Task],
        _session: &mut Session,
        _interrupt: &Interrupt,
        _tell: &mut dyn FnMut(&str),
    ) -> Result<Vec<Box<dyn Worker>>, StepOutcome> {
        Ok(Vec::new())
    }
}

/// For plans that consist of statements alone.
pub struct NoTasks;

impl Tasks for NoTasks {
    fn carry_out(
        &mut self,
        _action: &Action,
        task: &Task,
        _session: &mut Session,
        _interrupt: &Interrupt,
        _tell: &mut dyn FnMut(&str),
    ) -> Result<(), StepOutcome> {
        Err(StepOutcome::Failed(PgError::protocol(format!("`{}` is no work of this command", task.name))))
    }
}

/// Who is told what happens, as it happens. An error from any of these stops the run before the
/// next statement: what cannot be recorded is not done.
pub trait Events {
    /// An action begins.
    fn action_started(&mut self, index: usize, action: &Action);

    /// A step is about to be sent. It must be on durable record when this returns.
    ///
    /// # Errors
    /// When it cannot be recorded.
    fn step_started(&mut self, index: usize, action: &Action, step: usize, what: &Step) -> Result<(), Failure>;

    /// A step that was started has ended.
    ///
    /// # Errors
    /// When that cannot be recorded.
    fn step_finished(
        &mut self,
        index: usize,
        step: usize,
        outcome: &StepOutcome,
        took: Duration,
    ) -> Result<(), Failure>;

    /// An action has ended, or will not begin.
    ///
    /// # Errors
    /// When that cannot be recorded.
    fn action_finished(
        &mut self,
        index: usize,
        action: &Action,
        outcome: &ActionOutcome,
        took: Duration,
    ) -> Result<(), Failure>;

    /// How far a task is, in a few words.
    fn told(&mut self, _action: &Action, _words: &str) {}

    /// A statement waits for a lock that another session holds.
    fn waiting(&mut self, action: &Action, attempt: u32, pause: Duration, blocker: Option<&str>);
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// One outcome an action, in the plan's order.
    pub outcomes: Vec<ActionOutcome>,
    /// What made it stop, where it stopped.
    pub failure: Option<Failure>,
}
