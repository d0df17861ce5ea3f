//! The ledger's format: its mark in the file, and the scripts that lead from each version to the next.
//!
//! The version of a file (`PRAGMA user_version`) is how many scripts it has been through. A script
//! that has been released is never edited: what a later version keeps (archives, backups,
//! observations, alerts) comes as a further file in `migrations/` and a line below, together with
//! the events that fill it. `verify` then covers the new tables without more ado.

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::ledger::trouble::Trouble;

/// `PRAGMA application_id`: the letters `ChFm`.
pub(super) const APPLICATION_ID: i64 = 0x4368_466d;

/// Every script, in order.
pub(super) static MIGRATIONS: &[&str] = &[
    include_str!("migrations/1_first.sql"),
    include_str!("migrations/2_targets.sql"),
    include_str!("migrations/3_drift.sql"),
    include_str!("migrations/4_along.sql"),
    include_str!("migrations/5_archived.sql"),
    include_str!("migrations/6_proved.sql"),
];

/// What a SQLite file holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Content {
    /// Nothing at all yet.
    Nothing,
    /// A ledger that is this many scripts old.
    Ledger(usize),
}

/// Says what a file holds, without writing to it.
///
/// # Errors
/// When it is another application's, or newer than `migrations`, or not SQLite at all.
pub(super) fn identify(conn: &Connection, migrations: &[&str]) -> Result<Content, Trouble> {
    // All of it as one moment has it: another process may be making the ledger just now. A savepoint,
    // because it is asked within a transaction too.
    conn.execute_batch("SAVEPOINT identify")?;
    let found = identify_now(conn, migrations);
    conn.execute_batch("RELEASE identify")?;
    found
}

fn identify_now(conn: &Connection, migrations: &[&str]) -> Result<Content, Trouble> {
    let application: i64 = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if application != APPLICATION_ID {
        let objects: i64 = conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        if (application, version, objects) == (0, 0, 0) {
            return Ok(Content::Nothing);
        }
        return Err(Trouble::Foreign("it is a SQLite database of another application".to_owned()));
    }
    match usize::try_from(version) {
        Ok(known) if (1..=migrations.len()).contains(&known) => Ok(Content::Ledger(known)),
        Ok(newer) if newer > migrations.len() => Err(Trouble::Newer(version, count(migrations))),
        _ => Err(Trouble::Foreign(format!("it says that its format is {version}, which none is"))),
    }
}

/// Brings a file to the newest version, in one transaction.
pub(super) fn migrate(conn: &mut Connection, migrations: &[&str]) -> Result<(), Trouble> {
    // A script may rebuild a table that others refer to; the references are checked at the end.
    conn.pragma_update(None, "foreign_keys", false)?;
    let outcome = migrate_now(conn, migrations);
    conn.pragma_update(None, "foreign_keys", true)?;
    outcome
}

fn migrate_now(conn: &mut Connection, migrations: &[&str]) -> Result<(), Trouble> {
    let tx = Transaction::new(conn, TransactionBehavior::Immediate)?;
    // Another process may have been quicker.
    let from = match identify(&tx, migrations)? {
        Content::Nothing => 0,
        Content::Ledger(version) => version,
    };
    for script in migrations.iter().skip(from) {
        tx.execute_batch(script)?;
    }
    if tx.prepare("PRAGMA foreign_key_check")?.exists([])? {
        return Err(Trouble::Broken("a row refers to one that is not there".to_owned()));
    }
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", count(migrations))?;
    tx.commit()?;
    Ok(())
}

fn count(migrations: &[&str]) -> i64 {
    i64::try_from(migrations.len()).unwrap_or(i64::MAX)
}
