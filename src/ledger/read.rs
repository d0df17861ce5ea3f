//! Reading: what is remembered, what is in doubt, what was done.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde_json::Value as Json;

use crate::core::{Address, Applied, Begun, KindId, Op, QualifiedName, SourceLine};
use crate::diag::Diagnostic;
use crate::ledger::Ledger;
use crate::ledger::audit::Entry;
use crate::ledger::event::{Event, PolicyPlace};
use crate::ledger::records::{
    BegunRecord, DatabaseId, DatabaseRecord, Memory, Moment, Origin, ResourceChange, ResourceRecord, RunDetail, RunId,
    RunOutcome, RunRecord, RunState, StepCounts, StepRecord,
};
use crate::ledger::trouble::Trouble;
use crate::ledger::who::Who;

const DATABASE: &str = "d.id, d.system_identifier, d.oid, d.name, d.host, d.port, d.first_seen, d.target";

const RUN: &str = "r.id, r.command, r.started, r.finished, r.outcome, r.os_user, r.os_host, r.pid, r.tool_version,
    r.revision, r.pipeline, r.actor, r.role, r.plan_digest, r.policies_digest, r.summary,
    (SELECT count(*) FROM steps s WHERE s.run_id = r.id) AS steps_total,
    (SELECT count(*) FROM steps s WHERE s.run_id = r.id AND s.outcome IN ('done', 'settled_done')) AS steps_done,
    (SELECT count(*) FROM steps s WHERE s.run_id = r.id AND s.outcome = 'failed') AS steps_failed,
    (SELECT count(*) FROM steps s WHERE s.run_id = r.id AND s.outcome IN ('started', 'in_doubt')) AS steps_in_doubt";

const STEP: &str = "s.id, s.run_id, s.action, s.step, s.op, s.kind, s.schema, s.name, s.sql, s.transactional,
    s.outcome, s.started, s.finished, s.error, s.sqlstate, s.elapsed_ms, s.note";

/// Of the runs that did not end well, what their statements did, or may have done, to resources that no run has
/// recorded since: by which of them last, and whatever any of them took away. One outside of a transaction may leave
/// something although it failed, such as an index that is not valid.
const BEGUN: &str = "WITH sent AS (
    SELECT s.id, s.run_id, s.kind, s.schema, s.name, s.op FROM runs r JOIN steps s ON s.run_id = r.id
     WHERE r.database_id = ?1 AND r.outcome IS NOT 'done'
       AND (s.outcome IN ('done', 'settled_done', 'started', 'in_doubt') OR (s.outcome IN ('failed', 'cancelled') AND NOT s.transactional))),
  touched AS (
    SELECT run_id, kind, schema, name, 0 AS paused, op = 'remove' AS away FROM sent
    UNION ALL
    SELECT sent.run_id, a.kind, a.schema, a.name, a.paused, a.away FROM sent JOIN step_along a ON a.step_id = sent.id)
  SELECT t.kind, t.schema, t.name, max(t.run_id) AS run_id, max(t.paused) AS paused, max(t.away) AS away
    FROM touched t
    JOIN resources r ON (r.database_id, r.kind, r.schema, r.name) = (?1, t.kind, t.schema, t.name)
   WHERE t.run_id > r.run_id
   GROUP BY t.kind, t.schema, t.name";

impl Ledger {
    /// Every database that the ledger knows, in the order in which it came to know them.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn databases(&self) -> Result<Vec<DatabaseRecord>, Diagnostic> {
        self.read(databases)
    }

    /// Every resource that Chronoform applied to a database or adopted there, and has not removed.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn applied(&self, database: DatabaseId) -> Result<BTreeMap<Address, Applied>, Diagnostic> {
        let begun = self.begun(database)?;
        let entries = self.resources(database)?.into_iter().map(|record| {
            let applied = Applied {
                address: record.address.clone(),
                on: record.on,
                attributes: record.attributes,
                adopted: record.origin == Origin::Adopted,
                source: record.policy.map(|policy| SourceLine { file: policy.file, line: policy.line }),
                at: Some(record.applied_at.to_string()),
                begun: begun.get(&record.address).map(|it| Begun {
                    run: it.run.number(),
                    paused: it.paused,
                    away: it.away,
                }),
            };
            (record.address, applied)
        });
        Ok(entries.collect())
    }

    /// Every remembered resource that a later run began to change, or took away with what it is on, and has
    /// not ended that: it stopped before, or goes on.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn begun(&self, database: DatabaseId) -> Result<BTreeMap<Address, BegunRecord>, Diagnostic> {
        self.read(|conn| {
            let mut query = conn.prepare(BEGUN)?;
            let mut rows = query.query([database])?;
            let mut found = BTreeMap::new();
            while let Some(row) = rows.next()? {
                found.insert(
                    address(row)?,
                    BegunRecord { run: row.get("run_id")?, paused: row.get("paused")?, away: row.get("away")? },
                );
            }
            Ok(found)
        })
    }

    /// The same with when, by which run and from which policy.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn resources(&self, database: DatabaseId) -> Result<Vec<ResourceRecord>, Diagnostic> {
        self.read(|conn| {
            let mut query =
                conn.prepare("SELECT * FROM resources WHERE database_id = ?1 ORDER BY kind, schema, name")?;
            let mut rows = query.query([database])?;
            let mut records = Vec::new();
            while let Some(row) = rows.next()? {
                records.push(resource(row)?);
            }
            Ok(records)
        })
    }

    /// Every statement sent to a database of which nobody knows whether it happened, in the order in
    /// which they were sent. A statement that another process is running just now is among them:
    /// whoever holds the database's apply lock knows that there is none.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn in_doubt(&self, database: DatabaseId) -> Result<Vec<StepRecord>, Diagnostic> {
        self.read(|conn| {
            let mut query = conn.prepare(&format!(
                "SELECT {STEP} FROM steps s JOIN runs r ON r.id = s.run_id
                  WHERE s.outcome IN ('started', 'in_doubt') AND r.database_id = ?1 ORDER BY s.id"
            ))?;
            steps(query.query([database])?)
        })
    }

    /// The newest runs, newest first, of one database or of all.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn log(&self, limit: usize, database: Option<DatabaseId>) -> Result<Vec<RunRecord>, Diagnostic> {
        self.read(|conn| {
            let mut query = conn.prepare(&format!(
                "SELECT {RUN}, {DATABASE} FROM runs r JOIN databases d ON d.id = r.database_id
                  WHERE ?1 IS NULL OR r.database_id = ?1 ORDER BY r.id DESC LIMIT ?2"
            ))?;
            let mut rows = query.query(params![database, i64::try_from(limit).unwrap_or(i64::MAX)])?;
            let mut records = Vec::new();
            while let Some(row) = rows.next()? {
                records.push(run(row)?);
            }
            Ok(records)
        })
    }

    /// A run's own record.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn run(&self, id: RunId) -> Result<Option<RunRecord>, Diagnostic> {
        self.read(|conn| one_run(conn, id))
    }

    /// Everything about a run.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn show(&self, id: RunId) -> Result<Option<RunDetail>, Diagnostic> {
        self.read(|conn| {
            let Some(run) = one_run(conn, id)? else { return Ok(None) };
            let mut query = conn.prepare(&format!("SELECT {STEP} FROM steps s WHERE s.run_id = ?1 ORDER BY s.id"))?;
            Ok(Some(RunDetail { run, steps: steps(query.query([id])?)?, resources: changes(conn, id)? }))
        })
    }

    pub(super) fn has_open_runs(&self, database: DatabaseId) -> Result<bool, Diagnostic> {
        self.read(|conn| {
            Ok(conn.prepare("SELECT 1 FROM runs WHERE database_id = ?1 AND finished IS NULL")?.exists([database])?)
        })
    }

    /// Reads in one transaction, so that several queries see one state.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Trouble>) -> Result<T, Diagnostic> {
        let read = || {
            let tx = self.conn.unchecked_transaction()?;
            let value = work(&tx)?;
            tx.finish()?;
            Ok(value)
        };
        read().map_err(|trouble: Trouble| trouble.diagnose(&self.path))
    }
}

pub(super) fn databases(conn: &Connection) -> Result<Vec<DatabaseRecord>, Trouble> {
    let mut query = conn.prepare(&format!("SELECT {DATABASE} FROM databases d ORDER BY d.id"))?;
    let records = query.query_map([], |row| database(row, 0))?.collect::<rusqlite::Result<_>>()?;
    Ok(records)
}

/// The columns of [`DATABASE`], of which the first has this index.
fn database(row: &Row<'_>, first: usize) -> rusqlite::Result<DatabaseRecord> {
    Ok(DatabaseRecord {
        id: row.get(first)?,
        system_identifier: row.get(first + 1)?,
        oid: row.get(first + 2)?,
        name: row.get(first + 3)?,
        host: row.get(first + 4)?,
        port: row.get(first + 5)?,
        first_seen: Moment(row.get(first + 6)?),
        target: row.get(first + 7)?,
    })
}

fn one_run(conn: &Connection, id: RunId) -> Result<Option<RunRecord>, Trouble> {
    let query =
        format!("SELECT {RUN}, {DATABASE} FROM runs r JOIN databases d ON d.id = r.database_id WHERE r.id = ?1");
    let found = conn.query_row(&query, [id], |row| Ok(run(row))).optional()?;
    found.transpose()
}

/// The columns of [`RUN`] and after them those of [`DATABASE`].
fn run(row: &Row<'_>) -> Result<RunRecord, Trouble> {
    let who = Who {
        user: row.get("os_user")?,
        host: row.get("os_host")?,
        pid: row.get("pid")?,
        tool_version: row.get("tool_version")?,
        revision: row.get("revision")?,
        pipeline: row.get("pipeline")?,
        actor: row.get("actor")?,
    };
    let outcome: Option<RunOutcome> = row.get("outcome")?;
    let summary: Option<String> = row.get("summary")?;
    Ok(RunRecord {
        id: row.get(0)?,
        database: database(row, 20)?,
        command: row.get("command")?,
        state: state(outcome, &who),
        started: Moment(row.get("started")?),
        finished: row.get::<_, Option<i64>>("finished")?.map(Moment),
        who,
        role: row.get("role")?,
        plan_digest: row.get("plan_digest")?,
        policies_digest: row.get("policies_digest")?,
        summary: summary.map(|text| from_json(&text)).transpose()?.unwrap_or_default(),
        steps: StepCounts {
            total: count(row, "steps_total")?,
            done: count(row, "steps_done")?,
            failed: count(row, "steps_failed")?,
            in_doubt: count(row, "steps_in_doubt")?,
        },
    })
}

fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| u64::try_from(count).unwrap_or(0))
}

fn state(outcome: Option<RunOutcome>, who: &Who) -> RunState {
    match outcome {
        Some(RunOutcome::Done) => RunState::Done,
        Some(RunOutcome::Failed) => RunState::Failed,
        Some(RunOutcome::Cancelled) => RunState::Cancelled,
        Some(RunOutcome::InDoubt) => RunState::InDoubt,
        Some(RunOutcome::Crashed) => RunState::Crashed,
        None if who.is_gone() => RunState::Crashed,
        None => RunState::Unfinished,
    }
}

fn steps(mut rows: rusqlite::Rows<'_>) -> Result<Vec<StepRecord>, Trouble> {
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        records.push(step(row)?);
    }
    Ok(records)
}

fn step(row: &Row<'_>) -> Result<StepRecord, Trouble> {
    let op: String = row.get("op")?;
    Ok(StepRecord {
        id: row.get("id")?,
        run: row.get("run_id")?,
        action: row.get("action")?,
        index: row.get("step")?,
        op: Op::ALL
            .into_iter()
            .find(|known| known.as_str() == op)
            .ok_or_else(|| Trouble::Broken(format!("a step does `{op}`, which is no verb")))?,
        address: address(row)?,
        sql: row.get("sql")?,
        transactional: row.get("transactional")?,
        state: row.get("outcome")?,
        started: Moment(row.get("started")?),
        finished: row.get::<_, Option<i64>>("finished")?.map(Moment),
        error: row.get("error")?,
        sqlstate: row.get("sqlstate")?,
        elapsed_ms: row.get::<_, Option<i64>>("elapsed_ms")?.and_then(|elapsed| u64::try_from(elapsed).ok()),
        note: row.get("note")?,
    })
}

fn address(row: &Row<'_>) -> rusqlite::Result<Address> {
    let (kind, schema, name): (String, String, String) = (row.get("kind")?, row.get("schema")?, row.get("name")?);
    Ok(Address { kind: KindId::read(&kind), schema: Some(schema).filter(|schema| !schema.is_empty()), name })
}

pub(super) fn resource(row: &Row<'_>) -> Result<ResourceRecord, Trouble> {
    let on: (Option<String>, Option<String>) = (row.get("on_schema")?, row.get("on_name")?);
    let policy: (Option<String>, Option<u32>) = (row.get("policy_file")?, row.get("policy_line")?);
    let attributes: String = row.get("attributes")?;
    Ok(ResourceRecord {
        address: address(row)?,
        on: on.0.zip(on.1).map(|(schema, name)| QualifiedName::new(schema, name)),
        attributes: from_json(&attributes)?,
        origin: row.get("origin")?,
        run: row.get("run_id")?,
        applied_at: Moment(row.get("applied_at")?),
        policy: policy.0.zip(policy.1).map(|(file, line)| PolicyPlace { file, line }),
    })
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Trouble> {
    serde_json::from_str(text).map_err(|error| Trouble::Broken(format!("a row holds no readable JSON: {error}")))
}

/// What a run did to resources is told by its events alone: the table knows only the last state.
fn changes(conn: &Connection, run: RunId) -> Result<Vec<ResourceChange>, Trouble> {
    let mut query = conn.prepare(
        "SELECT seq, at, event, payload, prev_hash, hash FROM audit
          WHERE event IN ('resource-applied', 'resource-forgotten') AND json_extract(payload, '$.run') = ?1
          ORDER BY seq",
    )?;
    let mut rows = query.query([run])?;
    let mut changes = Vec::new();
    while let Some(row) = rows.next()? {
        let entry = Entry::read(row)?;
        let payload: Json = from_json(&entry.payload)?;
        let event = Event::read(&entry.event, payload)
            .map_err(|problem| Trouble::Broken(format!("entry {} of the audit log: {problem}", entry.seq)))?;
        changes.extend(change(Moment(entry.at), event));
    }
    Ok(changes)
}

fn change(at: Moment, event: Event) -> Option<ResourceChange> {
    match event {
        Event::ResourceApplied(event) => Some(ResourceChange {
            address: event.resource.address(),
            change: Memory::Applied,
            at,
            origin: Some(event.origin),
            attributes: Some(event.attributes),
            policy: event.policy,
            moved_from: event.moved_from.map(|before| before.address().to_string()),
        }),
        Event::ResourceForgotten(event) => Some(ResourceChange {
            address: event.resource.address(),
            change: Memory::Forgotten,
            at,
            origin: None,
            attributes: None,
            policy: None,
            moved_from: None,
        }),
        _ => None,
    }
}
