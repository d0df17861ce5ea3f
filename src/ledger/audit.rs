//! The audit log: every event once, in order, each bound to the one before it by SHA-256.
//!
//! An entry's hash covers its number, time, name, payload and the hash before it, each preceded by
//! its length. Whoever changes, removes or reorders an entry must therefore rewrite all that follow;
//! against that, keep the head that `verify` prints somewhere else.

use rusqlite::{Connection, OptionalExtension, params};

use crate::core::Fingerprint;
use crate::ledger::event::Event;
use crate::ledger::project::project;
use crate::ledger::trouble::Trouble;

/// The hash before the first entry.
pub(super) const GENESIS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// The end of the chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Head {
    /// The number of the last entry, which is also how many there are.
    pub(super) seq: i64,
    /// Its hash.
    pub(super) hash: String,
}

/// An entry of the log as it is stored.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) seq: i64,
    /// When it was appended, in microseconds since 1970, UTC.
    pub(super) at: i64,
    pub(super) event: String,
    /// Canonical JSON.
    pub(super) payload: String,
    pub(super) prev_hash: String,
    pub(super) hash: String,
}

impl Head {
    /// The head of an empty log.
    pub(super) fn genesis() -> Self {
        Self { seq: 0, hash: GENESIS.to_owned() }
    }

    /// The head of a ledger's log.
    pub(super) fn of(conn: &Connection) -> rusqlite::Result<Self> {
        conn.query_row("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok(Self { seq: row.get(0)?, hash: row.get(1)? })
        })
        .optional()
        .map(|head| head.unwrap_or_else(Self::genesis))
    }

    /// Appends an event and writes what it makes of the tables. The caller holds the transaction
    /// that this head was read in.
    pub(super) fn append(&mut self, conn: &Connection, at: i64, event: &Event) -> Result<(), Trouble> {
        let (name, payload) = event.write()?;
        let mut entry = Entry {
            seq: self.seq.saturating_add(1),
            at,
            event: name,
            payload,
            prev_hash: self.hash.clone(),
            hash: String::new(),
        };
        entry.hash = entry.expected_hash();
        entry.insert(conn)?;
        project(conn, at, event)?;
        *self = Self { seq: entry.seq, hash: entry.hash };
        Ok(())
    }
}

impl Entry {
    /// What its hash must be.
    pub(super) fn expected_hash(&self) -> String {
        let (seq, at) = (self.seq.to_string(), self.at.to_string());
        let parts = [seq.as_str(), at.as_str(), &self.event, &self.payload, &self.prev_hash];
        Fingerprint::of_parts(parts).as_str().to_owned()
    }

    /// Stores it as it is.
    pub(super) fn insert(&self, conn: &Connection) -> rusqlite::Result<()> {
        conn.execute(
            "INSERT INTO audit (seq, at, event, payload, prev_hash, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![self.seq, self.at, self.event, self.payload, self.prev_hash, self.hash],
        )
        .map(drop)
    }

    /// Calls for each entry in order. One that cannot be read at all is given as the number of its
    /// row and the reason.
    pub(super) fn each<E: From<rusqlite::Error>>(
        conn: &Connection,
        mut call: impl FnMut(Result<Self, (i64, rusqlite::Error)>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut query = conn.prepare("SELECT seq, at, event, payload, prev_hash, hash FROM audit ORDER BY seq")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let seq = row.get(0)?;
            call(Self::read(row).map_err(|error| (seq, error)))?;
        }
        Ok(())
    }

    /// The columns of an entry, in the order of the table.
    pub(super) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            at: row.get(1)?,
            event: row.get(2)?,
            payload: row.get(3)?,
            prev_hash: row.get(4)?,
            hash: row.get(5)?,
        })
    }
}
