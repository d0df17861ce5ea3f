//! Operations: the work that is due by the policies, which `run` does.
//!
//! To the engine they are differences like any other. A kind that says so by
//! [`Kind::closed_by`](crate::kinds::Kind::closed_by) is read, compared, weighed and planned as all
//! are, its statements pass the same lock and the same gate, each is on record before it is sent, and
//! an interruption or a broken connection leaves them as it leaves `apply`'s: the next run looks, and
//! goes on. What is particular to operations is here: how much of the work one run may do. An
//! operation that is done by more than statements has a folder of its own beside this file, and tells
//! the same events.

pub mod archive;
pub mod archiver;
pub mod backup;
mod secret;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use crate::apply::{Interrupt, StepOutcome, Tasks, Worker};
use crate::core::{Action, Address, Desired, Live, Operation, Server, Task};
use crate::diag::Failure;
use crate::kinds;
use crate::ledger::ArchivedRecord;
use crate::pg::Session;
use crate::plan::{Plan, Purpose};
use crate::snapshot::Outside;

/// How much one run may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Limits {
    /// No statement begins once so much time has passed; one that runs is let run to its end.
    pub max_runtime: Option<Duration>,
    /// How much is asked of the server while chunks are archived.
    pub load: archiver::Load,
}

/// What a plan of some operations is for; of all of them where none is named.
pub fn purpose(named: &[Operation]) -> Purpose {
    let all = || Operation::ALL.into_iter().collect();
    Purpose::Run(if named.is_empty() { all() } else { named.iter().copied().collect::<BTreeSet<_>>() })
}

/// Work of a backup that is to be done although it is not due; then nothing else is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forced {
    /// The document's name; any, where there is but one.
    pub backup: Option<String>,
    /// Which work, by the name of its resource.
    pub work: &'static str,
    /// Which sort of backup.
    pub sort: Option<backup::Sort>,
}

impl Forced {
    /// Whether a resource is what is meant.
    pub fn is_meant(&self, address: &Address) -> bool {
        let named = |name: &String| address.schema.as_ref() == Some(name);
        address.name == self.work && self.backup.as_ref().is_none_or(named)
    }
}

/// Looks where operations keep what no database knows of.
pub struct Outsider<'a> {
    backups: bool,
    archives: bool,
    may_delete: bool,
    forced: Option<&'a Forced>,
    archived: &'a [ArchivedRecord],
}

impl<'a> Outsider<'a> {
    /// One for a purpose. `may_delete` says whether archived chunks that have expired may be removed; `archived` is what
    /// the ledger knows to be in archives.
    pub fn new(
        purpose: &Purpose,
        forced: Option<&'a Forced>,
        may_delete: bool,
        archived: &'a [ArchivedRecord],
    ) -> Self {
        let runs = |operation| matches!(purpose, Purpose::Run(operations) if operations.contains(&operation));
        Self { backups: runs(Operation::Backup), archives: runs(Operation::Archive), may_delete, forced, archived }
    }

    /// One for a plan that is carried out: what it leaves because of what the ledger knows, it says itself.
    pub fn of(plan: &Plan, forced: Option<&'a Forced>) -> Self {
        let runs = |operation| plan.operations.contains(&operation);
        let may_delete = plan.actions.iter().any(|action| action.address.kind == kinds::archive_store::ID);
        Self { backups: runs(Operation::Backup), archives: runs(Operation::Archive), may_delete, forced, archived: &[] }
    }
}

impl Outside for Outsider<'_> {
    fn look(
        &mut self,
        server: &Server,
        desired: &BTreeMap<Address, Desired>,
        inside: &BTreeMap<Address, Live>,
    ) -> Result<Vec<Live>, Failure> {
        let mut found = backup::look_around(server, desired, inside)?;
        if self.backups {
            found.extend(backup::look(server, desired, self.forced)?);
        }
        if self.archives && self.forced.is_none() {
            found.extend(archiver::look(server, desired, self.archived, self.may_delete)?);
            found.extend(archiver::look_for_copies(server, desired, inside)?);
        }
        Ok(found)
    }
}

/// Does the work of every operation.
pub struct Crew<'a> {
    server: &'a Server,
    archiver: archiver::Archiver<'a>,
}

impl<'a> Crew<'a> {
    /// One for a database.
    pub fn new(server: &'a Server, limits: Limits) -> Self {
        Self { server, archiver: archiver::Archiver::new(server, limits.load) }
    }
}

impl Tasks for Crew<'_> {
    fn carry_out(
        &mut self,
        action: &Action,
        task: &Task,
        session: &mut Session,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<(), StepOutcome> {
        match task.name.as_str() {
            kinds::backup::TASK => Ok(backup::carry_out(task, self.server, session, interrupt, tell)?),
            kinds::repository::CONFIGURE => Ok(backup::configure(task)?),
            kinds::repository::CREATE => Ok(backup::create(task, interrupt)?),
            _ => self.archiver.carry_out(action, task, session, interrupt, tell),
        }
    }

    fn workers(
        &mut self,
        tasks: &[&Task],
        session: &mut Session,
        interrupt: &Interrupt,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Vec<Box<dyn Worker>>, StepOutcome> {
        self.archiver.workers(tasks, session, interrupt, tell)
    }
}

impl Limits {
    /// From now on they hold.
    pub fn begin(self, interrupt: &Interrupt) {
        if let Some(limit) = self.max_runtime {
            interrupt.stop_at(Instant::now() + limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_name_all_operations_are_meant() {
        assert_eq!(purpose(&[]), purpose(&Operation::ALL));
    }

    #[test]
    fn a_limit_that_is_over_is_a_reason_to_stop() {
        let interrupt = Interrupt::default();
        assert!(!interrupt.is_requested());
        interrupt.stop_at(Instant::now() + Duration::from_secs(3600));
        assert!(!interrupt.is_requested());
        interrupt.stop_at(Instant::now());
        assert!(interrupt.is_requested() && interrupt.is_out_of_time());
    }
}
