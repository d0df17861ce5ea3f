//! The ledger: what Chronoform did, step by step, and what it applied, in one SQLite file.
//!
//! Everything that is written is first an *event*, appended to a log whose entries are chained by
//! SHA-256 (`audit.rs`); the tables are what the events make of them (`project.rs`). Both happen in
//! one transaction. Verifying plays the log back and compares; exporting writes the log, importing
//! plays it into an empty file. Reading never writes, and an absent file reads as an empty ledger.
//!
//! A statement's row is committed to the disk *before* the statement is sent, and its outcome after
//! it: a row without an outcome is in doubt. The file holds no connection strings and no passwords;
//! it does hold the SQL that was sent.

mod archived;
mod audit;
mod batch;
mod event;
mod export;
mod identity;
mod migrate;
mod observed;
mod open;
mod project;
mod read;
mod records;
mod trouble;
mod verify;
mod who;
mod words;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use crate::core::{Address, Applied, Place};
use crate::diag::{Diagnostic, code};
use crate::ledger::open::{BUSY_TIMEOUT, Opening};
use crate::ledger::trouble::Trouble;

pub use archived::{Archived, ArchivedChunk, ArchivedFiles, ArchivedRecord};
pub use batch::Batch;
pub use event::PolicyPlace;
pub use identity::{ALLOW_NEW_OPTION, Admission};
pub use observed::{DriftRecord, Observed};
pub use records::{
    BegunRecord, DatabaseId, DatabaseRecord, DriftReportId, Memory, Moment, Origin, ResourceChange, ResourceRecord,
    RunDetail, RunId, RunOutcome, RunRecord, RunStart, RunState, StepCounts, StepEnd, StepId, StepRecord, StepStart,
    StepState,
};
pub use verify::{Finding, Verification};
pub use who::Who;

/// What tells the time of an event.
pub trait Clock: Send {
    /// Microseconds since 1970, UTC.
    fn now_micros(&self) -> i64;
}

impl<F: Fn() -> i64 + Send> Clock for F {
    fn now_micros(&self) -> i64 {
        self()
    }
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_micros(&self) -> i64 {
        jiff::Timestamp::now().as_microsecond()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Access {
    Write,
    Read,
}

/// An open ledger.
pub struct Ledger {
    path: PathBuf,
    conn: Connection,
    access: Access,
    clock: Box<dyn Clock>,
    opening: Opening,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("path", &self.path).field("access", &self.access).finish_non_exhaustive()
    }
}

impl Ledger {
    /// Opens a ledger for writing, making the file and its folder where there are none.
    ///
    /// # Errors
    /// `ledger-unreadable`, `ledger-newer`, `ledger-locked`, `ledger-unwritable`, `ledger-full`.
    pub fn open(path: &Path) -> Result<Self, Diagnostic> {
        Self::open_with(path, Box::new(SystemClock))
    }

    /// The same with another clock.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with(path: &Path, clock: Box<dyn Clock>) -> Result<Self, Diagnostic> {
        Self::open_as(path, Access::Write, clock, Opening::default())
    }

    /// Opens a ledger for reading; an absent file is an empty ledger, and is not made.
    ///
    /// # Errors
    /// `ledger-unreadable`, `ledger-newer`, `ledger-locked`.
    pub fn open_read(path: &Path) -> Result<Self, Diagnostic> {
        Self::open_as(path, Access::Read, Box::new(SystemClock), Opening::default())
    }

    fn open_as(path: &Path, access: Access, clock: Box<dyn Clock>, opening: Opening) -> Result<Self, Diagnostic> {
        let conn = match access {
            Access::Write => opening.for_writing(path),
            Access::Read => opening.for_reading(path),
        };
        let conn = conn.map_err(|trouble| trouble.diagnose(path))?;
        Ok(Self { path: path.to_owned(), conn, access, clock, opening })
    }

    /// The file, as it was named.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes several things as one: all of them, or, when `work` fails, none. What is written is on
    /// the disk when this returns.
    ///
    /// # Errors
    /// Those of `work`; `ledger-locked`, `ledger-full`, `ledger-unwritable`.
    pub fn write<T>(&mut self, work: impl FnOnce(&mut Batch<'_>) -> Result<T, Diagnostic>) -> Result<T, Diagnostic> {
        let at = self.clock.now_micros();
        self.transact(|conn, path| Ok(work(&mut Batch::new(conn, path, at)?)?))
    }

    fn transact<T>(&mut self, work: impl FnOnce(&Connection, &Path) -> Result<T, Trouble>) -> Result<T, Diagnostic> {
        if self.access == Access::Read {
            return Err(Diagnostic::error(&code::INTERNAL, "a ledger that is open for reading was written to"));
        }
        let path = &self.path;
        let transact = || {
            let tx = self.conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&tx, path)?;
            tx.commit()?;
            Ok(value)
        };
        transact().map_err(|trouble: Trouble| trouble.diagnose(path))
    }

    /// See [`Batch::begin_run`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn begin_run(&mut self, database: DatabaseId, start: RunStart) -> Result<RunId, Diagnostic> {
        self.write(|batch| batch.begin_run(database, start))
    }

    /// See [`Batch::start_step`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn start_step(&mut self, run: RunId, start: &StepStart<'_>) -> Result<StepId, Diagnostic> {
        self.write(|batch| batch.start_step(run, start))
    }

    /// See [`Batch::finish_step`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn finish_step(&mut self, step: StepId, end: &StepEnd) -> Result<(), Diagnostic> {
        self.write(|batch| batch.finish_step(step, end))
    }

    /// Ends the statements of one transaction alike, all or none.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn finish_steps(&mut self, steps: &[StepId], end: &StepEnd) -> Result<(), Diagnostic> {
        self.write(|batch| steps.iter().try_for_each(|step| batch.finish_step(*step, end)))
    }

    /// See [`Batch::settle`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn settle(&mut self, step: StepId, happened: bool, note: &str) -> Result<(), Diagnostic> {
        self.write(|batch| batch.settle(step, happened, note))
    }

    /// See [`Batch::record_applied`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn record_applied(&mut self, run: RunId, applied: &Applied, place: Option<&Place>) -> Result<(), Diagnostic> {
        self.write(|batch| batch.record_applied(run, applied, place))
    }

    /// See [`Batch::forget`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn forget(&mut self, run: RunId, address: &Address) -> Result<bool, Diagnostic> {
        self.write(|batch| batch.forget(run, address))
    }

    /// See [`Batch::finish_run`].
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn finish_run(
        &mut self,
        run: RunId,
        outcome: RunOutcome,
        summary: &BTreeMap<String, u64>,
    ) -> Result<(), Diagnostic> {
        self.write(|batch| batch.finish_run(run, outcome, summary))
    }

    /// Ends, as crashed, every run of a database that is still going on, and gives them back. Their
    /// statements without an outcome are then in doubt: see [`Self::in_doubt`] and [`Self::settle`].
    ///
    /// Only whoever holds the database's apply lock may call it, and before a run of its own begins:
    /// then no other process can be working on that database, and what is unfinished was killed.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn close_crashed(&mut self, database: DatabaseId) -> Result<Vec<RunRecord>, Diagnostic> {
        // Most often there is none, and then nothing is written.
        if !self.has_open_runs(database)? {
            return Ok(Vec::new());
        }
        let closed = self.write(|batch| batch.close_open_runs(database))?;
        closed.into_iter().filter_map(|run| self.run(run).transpose()).collect()
    }
}

impl Default for Opening {
    fn default() -> Self {
        Self { busy_timeout: BUSY_TIMEOUT, migrations: migrate::MIGRATIONS }
    }
}
