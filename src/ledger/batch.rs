//! Writing: one batch is one SQLite transaction, with its audit events inside it.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use crate::core::{Address, Applied, Place, QualifiedName, Server};
use crate::diag::Diagnostic;
use crate::ledger::Admission;
use crate::ledger::audit::Head;
use crate::ledger::event::{
    DatabaseAdded, Event, GoneAlong, OfArchive, PolicyPlace, ResourceApplied, ResourceForgotten, ResourceName,
    RunFinished, RunStarted, StepFinished, StepSettled, StepStarted,
};
use crate::ledger::read::{databases, resource};
use crate::ledger::records::{
    DatabaseId, DatabaseRecord, DriftReportId, Origin, RunId, RunOutcome, RunStart, StepEnd, StepId, StepStart,
    StepState,
};
use crate::ledger::trouble::Trouble;

/// A transaction that is being written. See [`crate::ledger::Ledger::write`].
pub struct Batch<'a> {
    conn: &'a Connection,
    path: &'a Path,
    at: i64,
    head: Head,
}

impl<'a> Batch<'a> {
    /// A batch within the transaction that the connection is in.
    pub(super) fn new(conn: &'a Connection, path: &'a Path, at: i64) -> Result<Self, Trouble> {
        Ok(Self { conn, path, at, head: Head::of(conn)? })
    }

    /// The ledger's file, for messages.
    pub(super) const fn path(&self) -> &Path {
        self.path
    }

    pub(super) fn databases(&self) -> Result<Vec<DatabaseRecord>, Diagnostic> {
        databases(self.conn).map_err(|trouble| trouble.diagnose(self.path))
    }

    pub(super) fn append(&mut self, event: &Event) -> Result<(), Diagnostic> {
        self.head.append(self.conn, self.at, event).map_err(|trouble| trouble.diagnose(self.path))
    }

    fn say<T>(&self, result: rusqlite::Result<T>) -> Result<T, Diagnostic> {
        result.map_err(|error| Trouble::from(error).diagnose(self.path))
    }

    fn next(&self, last: &str) -> Result<i64, Diagnostic> {
        self.say(self.conn.query_row(last, [], |row| row.get::<_, i64>(0))).map(|last| last.saturating_add(1))
    }

    pub(super) fn next_drift_report(&self) -> Result<DriftReportId, Diagnostic> {
        self.next("SELECT coalesce(max(id), 0) FROM drift_reports").map(DriftReportId)
    }

    /// Adds a database that the ledger does not know.
    pub(super) fn add_database(&mut self, server: &Server, admission: &Admission) -> Result<DatabaseId, Diagnostic> {
        let database = DatabaseId(self.next("SELECT coalesce(max(id), 0) FROM databases")?);
        self.append(&Event::DatabaseAdded(DatabaseAdded {
            database,
            system_identifier: server.system_identifier.clone(),
            oid: server.database_oid,
            name: server.database.clone(),
            host: server.host.clone(),
            port: server.port,
            target: match admission {
                Admission::Target(target) => Some(target.clone()),
                Admission::First | Admission::Any => None,
            },
        }))?;
        Ok(database)
    }

    /// Begins a run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin_run(&mut self, database: DatabaseId, start: RunStart) -> Result<RunId, Diagnostic> {
        let run = RunId(self.next("SELECT coalesce(max(id), 0) FROM runs")?);
        let RunStart { command, who, role, plan_digest, policies_digest } = start;
        self.append(&Event::RunStarted(RunStarted {
            run,
            database,
            command,
            who,
            role,
            plan_digest,
            policies_digest,
        }))?;
        Ok(run)
    }

    /// Records that a statement is about to be sent.
    ///
    /// # Errors
    /// When it cannot be written, or the run is not going on.
    pub fn start_step(&mut self, run: RunId, start: &StepStart<'_>) -> Result<StepId, Diagnostic> {
        let step = StepId(self.next("SELECT coalesce(max(id), 0) FROM steps")?);
        self.append(&Event::StepStarted(StepStarted {
            step,
            run,
            action: start.action,
            index: start.index,
            op: start.op,
            resource: start.address.into(),
            sql: start.sql.to_owned(),
            transactional: start.transactional,
            along: start.along.iter().map(GoneAlong::from).collect(),
            archived: start.archived.iter().map(OfArchive::from).collect(),
        }))?;
        Ok(step)
    }

    /// Records what became of a statement.
    ///
    /// # Errors
    /// When it cannot be written, or the statement is not going on.
    pub fn finish_step(&mut self, step: StepId, end: &StepEnd) -> Result<(), Diagnostic> {
        self.append(&Event::StepFinished(StepFinished {
            step,
            outcome: end.state,
            error: end.error.clone(),
            sqlstate: end.sqlstate.clone(),
            elapsed_ms: end.elapsed.map(|elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)),
        }))
    }

    /// Records what looking at the database showed of a statement in doubt; the note says how.
    ///
    /// # Errors
    /// When it cannot be written, or the statement is not in doubt.
    pub fn settle(&mut self, step: StepId, happened: bool, note: &str) -> Result<(), Diagnostic> {
        self.append(&Event::StepSettled(StepSettled { step, happened, note: note.to_owned() }))
    }

    /// Remembers a resource as it is now. How it came to be Chronoform's stays as it was for one
    /// that is remembered already, so a resource that was replaced is forgotten first.
    ///
    /// # Errors
    /// When it cannot be written, or the run is not going on.
    pub fn record_applied(&mut self, run: RunId, applied: &Applied, place: Option<&Place>) -> Result<(), Diagnostic> {
        let database = self.database_of(run)?;
        let resource = ResourceName::from(&applied.address);
        let new = if applied.adopted { Origin::Adopted } else { Origin::Created };
        let origin = self.origin_of(database, &resource)?.unwrap_or(new);
        self.append(&Event::ResourceApplied(ResourceApplied {
            run,
            database,
            resource,
            on: applied.on.clone(),
            attributes: applied.attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            origin,
            policy: place.map(|place| PolicyPlace { file: place.file.to_string(), line: place.line }),
            moved_from: None,
        }))
    }

    /// Remembers a resource under another address, with all else that is remembered of it.
    ///
    /// # Errors
    /// When it cannot be written, or the run is not going on.
    pub fn record_moved(
        &mut self,
        run: RunId,
        from: &Address,
        to: &Address,
        on: Option<&QualifiedName>,
    ) -> Result<(), Diagnostic> {
        let database = self.database_of(run)?;
        let before = ResourceName::from(from);
        let query = "SELECT * FROM resources WHERE database_id = ?1 AND kind = ?2 AND schema = ?3 AND name = ?4";
        let key = params![database, before.kind, before.schema_column(), before.name];
        let found = self.say(self.conn.query_row(query, key, |row| Ok(resource(row))).optional())?;
        let Some(found) = found else { return Ok(()) };
        let found = found.map_err(|trouble| trouble.diagnose(self.path))?;
        self.append(&Event::ResourceForgotten(ResourceForgotten { run, database, resource: before.clone() }))?;
        self.append(&Event::ResourceApplied(ResourceApplied {
            run,
            database,
            resource: ResourceName::from(to),
            on: on.cloned(),
            attributes: found.attributes.into_iter().collect(),
            origin: found.origin,
            policy: found.policy,
            moved_from: Some(before),
        }))
    }

    /// Forgets a resource; says whether it was remembered.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn forget(&mut self, run: RunId, address: &Address) -> Result<bool, Diagnostic> {
        let database = self.database_of(run)?;
        let resource = ResourceName::from(address);
        if self.origin_of(database, &resource)?.is_none() {
            return Ok(false);
        }
        self.append(&Event::ResourceForgotten(ResourceForgotten { run, database, resource }))?;
        Ok(true)
    }

    /// Ends a run. A statement that is still without an outcome is in doubt from here on.
    ///
    /// # Errors
    /// When it cannot be written, or the run is not going on.
    pub fn finish_run(
        &mut self,
        run: RunId,
        outcome: RunOutcome,
        summary: &BTreeMap<String, u64>,
    ) -> Result<(), Diagnostic> {
        for step in self.say(self.open_steps(run))? {
            self.finish_step(step, &StepEnd::in_doubt("the run ended before its outcome was recorded"))?;
        }
        self.append(&Event::RunFinished(RunFinished { run, outcome, summary: summary.clone() }))
    }

    /// Ends every run of a database that is still going on, as crashed; says which they were.
    pub(super) fn close_open_runs(&mut self, database: DatabaseId) -> Result<Vec<RunId>, Diagnostic> {
        let runs = self.say(self.open_runs(database))?;
        for run in &runs {
            self.finish_run(*run, RunOutcome::Crashed, &BTreeMap::new())?;
        }
        Ok(runs)
    }

    fn open_steps(&self, run: RunId) -> rusqlite::Result<Vec<StepId>> {
        let mut query = self.conn.prepare("SELECT id FROM steps WHERE run_id = ?1 AND outcome = ?2 ORDER BY id")?;
        query.query_map(params![run, StepState::Started], |row| row.get(0))?.collect()
    }

    fn open_runs(&self, database: DatabaseId) -> rusqlite::Result<Vec<RunId>> {
        let mut query =
            self.conn.prepare("SELECT id FROM runs WHERE database_id = ?1 AND finished IS NULL ORDER BY id")?;
        query.query_map([database], |row| row.get(0))?.collect()
    }

    fn database_of(&self, run: RunId) -> Result<DatabaseId, Diagnostic> {
        let query = "SELECT database_id FROM runs WHERE id = ?1";
        let found = self.say(self.conn.query_row(query, [run], |row| row.get(0)).optional())?;
        found.ok_or_else(|| Trouble::Broken(format!("there is no run {run}")).diagnose(self.path))
    }

    fn origin_of(&self, database: DatabaseId, resource: &ResourceName) -> Result<Option<Origin>, Diagnostic> {
        let query = "SELECT origin FROM resources WHERE database_id = ?1 AND kind = ?2 AND schema = ?3 AND name = ?4";
        let key = params![database, resource.kind, resource.schema_column(), resource.name];
        self.say(self.conn.query_row(query, key, |row| row.get(0)).optional())
    }
}
