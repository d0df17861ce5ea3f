//! What each event makes of the tables: the only code that writes to them.
//!
//! Recording, importing and verifying all go through here, so that a row that no event accounts for
//! cannot be written, and can be found.

use rusqlite::{Connection, params};
use serde_json::Value as Json;

use crate::ledger::event::{
    ArchiveVerified, DatabaseAdded, DriftRecorded, Event, ResourceApplied, ResourceForgotten, RunFinished, RunStarted,
    StepFinished, StepSettled, StepStarted, canonical,
};
use crate::ledger::records::StepState;
use crate::ledger::trouble::Trouble;

/// Writes what an event of a moment makes of the tables.
///
/// # Errors
/// When the event does not follow from those before it: a step of no run, an outcome of no step.
pub(super) fn project(conn: &Connection, at: i64, event: &Event) -> Result<(), Trouble> {
    match event {
        Event::DatabaseAdded(event) => database_added(conn, at, event),
        Event::RunStarted(event) => run_started(conn, at, event),
        Event::StepStarted(event) => step_started(conn, at, event),
        Event::StepFinished(event) => step_finished(conn, at, event),
        Event::StepSettled(event) => step_settled(conn, at, event),
        Event::ResourceApplied(event) => resource_applied(conn, at, event),
        Event::ResourceForgotten(event) => resource_forgotten(conn, event),
        Event::RunFinished(event) => run_finished(conn, at, event),
        Event::DriftRecorded(event) => drift_recorded(conn, at, event),
        Event::ArchiveVerified(event) => archive_verified(conn, at, event),
    }
}

fn one(changed: usize, or: impl FnOnce() -> String) -> Result<(), Trouble> {
    if changed == 1 { Ok(()) } else { Err(Trouble::Broken(or())) }
}

fn json<T: serde::Serialize>(value: &T) -> Result<String, Trouble> {
    let json: Json = serde_json::to_value(value).map_err(|error| Trouble::internal(error.to_string()))?;
    canonical(&json).map_err(Trouble::internal)
}

fn database_added(conn: &Connection, at: i64, event: &DatabaseAdded) -> Result<(), Trouble> {
    conn.execute(
        "INSERT INTO databases (id, system_identifier, oid, name, host, port, first_seen, target)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            event.database,
            event.system_identifier,
            event.oid,
            event.name,
            event.host,
            event.port,
            at,
            event.target
        ],
    )?;
    Ok(())
}

fn run_started(conn: &Connection, at: i64, event: &RunStarted) -> Result<(), Trouble> {
    let who = &event.who;
    conn.execute(
        "INSERT INTO runs (id, database_id, command, started, os_user, os_host, pid, tool_version,
                           role, plan_digest, policies_digest, revision, pipeline, actor)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        params![
            event.run,
            event.database,
            event.command,
            at,
            who.user,
            who.host,
            who.pid,
            who.tool_version,
            event.role,
            event.plan_digest,
            event.policies_digest,
            who.revision,
            who.pipeline,
            who.actor
        ],
    )?;
    Ok(())
}

fn step_started(conn: &Connection, at: i64, event: &StepStarted) -> Result<(), Trouble> {
    let resource = &event.resource;
    let changed = conn.execute(
        "INSERT INTO steps (id, run_id, action, step, op, kind, schema, name, sql, transactional, started, outcome)
         SELECT ?1, id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 FROM runs WHERE id = ?2 AND finished IS NULL",
        params![
            event.step,
            event.run,
            event.action,
            event.index,
            event.op.as_str(),
            resource.kind,
            resource.schema_column(),
            resource.name,
            event.sql,
            event.transactional,
            at,
            StepState::Started
        ],
    )?;
    one(changed, || format!("step {} starts in run {}, which is not going on", event.step, event.run))?;
    step_archived(conn, event)?;
    if event.along.is_empty() {
        return Ok(());
    }
    let mut insert = conn.prepare(
        "INSERT INTO step_along (step_id, kind, schema, name, paused, away) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for along in &event.along {
        let resource = &along.resource;
        insert.execute(params![
            event.step,
            resource.kind,
            resource.schema_column(),
            resource.name,
            along.paused,
            along.away
        ])?;
    }
    Ok(())
}

fn step_archived(conn: &Connection, event: &StepStarted) -> Result<(), Trouble> {
    for archived in &event.archived {
        let (schema, name) = archived.table.as_ref().map_or(("", ""), |table| (&table.schema, &table.name));
        conn.execute(
            "INSERT OR IGNORE INTO step_archived (step_id, place, file, schema, name, chunk, range_start, range_end, gone)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
            event.step,
            archived.place,
            archived.file,
            schema,
            name,
            archived.chunk,
            archived.range_start,
            archived.range_end,
            archived.table.is_none()
        ],
        )?;
    }
    Ok(())
}

fn step_finished(conn: &Connection, at: i64, event: &StepFinished) -> Result<(), Trouble> {
    let changed = conn.execute(
        "UPDATE steps SET finished = ?2, outcome = ?3, error = ?4, sqlstate = ?5, elapsed_ms = ?6
          WHERE id = ?1 AND outcome = 'started'",
        params![event.step, at, event.outcome, event.error, event.sqlstate, event.elapsed_ms],
    )?;
    one(changed, || format!("step {} ends `{}`, and is not going on", event.step, event.outcome))
}

fn step_settled(conn: &Connection, at: i64, event: &StepSettled) -> Result<(), Trouble> {
    let outcome = if event.happened { StepState::SettledDone } else { StepState::SettledNotDone };
    let changed = conn.execute(
        "UPDATE steps SET finished = ?2, outcome = ?3, note = ?4 WHERE id = ?1 AND outcome IN ('started', 'in_doubt')",
        params![event.step, at, outcome, event.note],
    )?;
    one(changed, || format!("step {} is settled, and was not in doubt", event.step))
}

fn resource_applied(conn: &Connection, at: i64, event: &ResourceApplied) -> Result<(), Trouble> {
    let (resource, on, policy) = (&event.resource, event.on.as_ref(), event.policy.as_ref());
    let changed = conn.execute(
        "INSERT OR REPLACE INTO resources (database_id, kind, schema, name, on_schema, on_name, attributes, origin,
                                           run_id, applied_at, policy_file, policy_line)
         SELECT database_id, ?3, ?4, ?5, ?6, ?7, ?8, ?9, id, ?10, ?11, ?12
           FROM runs WHERE id = ?1 AND database_id = ?2 AND finished IS NULL",
        params![
            event.run,
            event.database,
            resource.kind,
            resource.schema_column(),
            resource.name,
            on.map(|on| &on.schema),
            on.map(|on| &on.name),
            json(&event.attributes)?,
            event.origin,
            at,
            policy.map(|policy| &policy.file),
            policy.map(|policy| policy.line)
        ],
    )?;
    one(changed, || format!("a resource is recorded by run {}, which is not going on there", event.run))
}

fn resource_forgotten(conn: &Connection, event: &ResourceForgotten) -> Result<(), Trouble> {
    let resource = &event.resource;
    let changed = conn.execute(
        "DELETE FROM resources WHERE database_id = ?2 AND kind = ?3 AND schema = ?4 AND name = ?5
            AND EXISTS (SELECT 1 FROM runs WHERE id = ?1 AND database_id = ?2 AND finished IS NULL)",
        params![event.run, event.database, resource.kind, resource.schema_column(), resource.name],
    )?;
    one(changed, || format!("run {} forgets a resource that is not remembered, or is not going on there", event.run))
}

fn run_finished(conn: &Connection, at: i64, event: &RunFinished) -> Result<(), Trouble> {
    let changed = conn.execute(
        "UPDATE runs SET finished = ?2, outcome = ?3, summary = ?4 WHERE id = ?1 AND finished IS NULL",
        params![event.run, at, event.outcome, json(&event.summary)?],
    )?;
    one(changed, || format!("run {} ends `{}`, and was not going on", event.run, event.outcome))
}

fn drift_recorded(conn: &Connection, at: i64, event: &DriftRecorded) -> Result<(), Trouble> {
    conn.execute(
        "INSERT INTO drift_reports (id, database_id, at, os_user, os_host) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![event.report, event.database, at, event.who.user, event.who.host],
    )?;
    let mut insert = conn.prepare(
        "INSERT INTO drift_differences (report_id, kind, schema, name, status, fingerprint)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for difference in &event.differences {
        let resource = &difference.resource;
        insert.execute(params![
            event.report,
            resource.kind,
            resource.schema_column(),
            resource.name,
            difference.status,
            difference.fingerprint
        ])?;
    }
    Ok(())
}

fn archive_verified(conn: &Connection, at: i64, event: &ArchiveVerified) -> Result<(), Trouble> {
    let mut insert = conn.prepare("INSERT OR REPLACE INTO archive_proved (place, manifest, at) VALUES (?1, ?2, ?3)")?;
    for (place, manifests) in &event.proved {
        for manifest in manifests {
            insert.execute(params![place, manifest, at])?;
        }
    }
    Ok(())
}
