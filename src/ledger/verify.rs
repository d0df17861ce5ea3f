//! Verifying: whether the log is as it was written, and the tables are what the log makes of them.
//!
//! The log is played back into an empty ledger in memory, and every table is compared with the one
//! that results. Nothing here names a table, so that none can be forgotten.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Rows, Statement};
use serde::Serialize;

use crate::diag::{Diagnostic, code};
use crate::ledger::Ledger;
use crate::ledger::audit::{Entry, Head};
use crate::ledger::event::Event;
use crate::ledger::open::{Opening, tables};
use crate::ledger::project::project;
use crate::ledger::trouble::Trouble;

/// What verifying a ledger showed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Verification {
    /// How many events the log holds.
    pub events: u64,
    /// The hash of the last of them. Noted elsewhere, it proves later that nothing before it was
    /// rewritten.
    pub head: String,
    /// Whether the tables were compared with the log: not where the log itself does not hold.
    pub compared: bool,
    /// What does not hold.
    pub findings: Vec<Finding>,
}

/// One thing that is not as it was written.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Finding {
    /// The table, or `file` where SQLite's own structures are damaged.
    pub table: String,
    /// The row's key, where it is about one.
    pub row: Option<String>,
    /// What is wrong with it.
    pub problem: String,
}

impl Verification {
    /// Whether everything is as it was written.
    pub fn holds(&self) -> bool {
        self.findings.is_empty()
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.row {
            Some(row) => write!(f, "{} {row}: {}", self.table, self.problem),
            None => write!(f, "{}: {}", self.table, self.problem),
        }
    }
}

impl Finding {
    fn new(table: &str, row: Option<String>, problem: impl Into<String>) -> Self {
        Self { table: table.to_owned(), row, problem: problem.into() }
    }

    /// The same for the user.
    pub fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(&code::LEDGER_BROKEN, self.to_string())
            .why("something other than Chronoform changed the ledger, and its record can no longer be relied upon")
            .help("restore the file from a copy, or move it aside: `plan` still converges without it")
    }
}

impl Ledger {
    /// Whether the ledger is as Chronoform wrote it: the log by its hashes, the tables by the log.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn verify(&self) -> Result<Verification, Diagnostic> {
        self.verify_since(None)
    }

    /// The same, and whether a head noted earlier is still in the chain. A log that was cut off, or
    /// written anew from some entry on, with its tables to match, is whole in itself: only what was
    /// noted elsewhere tells.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn verify_since(&self, head: Option<&str>) -> Result<Verification, Diagnostic> {
        self.read(|conn| {
            let mut found = verify(conn, self.opening)?;
            if let Some(head) = head.map(str::trim)
                && !conn.prepare("SELECT 1 FROM audit WHERE hash = ?1")?.exists([head])?
            {
                let problem =
                    format!("the noted head `{}` is not in it: it was cut off or written anew", shortened(head));
                found.findings.push(Finding::new("audit", None, problem));
            }
            Ok(found)
        })
    }
}

/// Verifies what a connection sees.
pub(super) fn verify(conn: &Connection, opening: Opening) -> Result<Verification, Trouble> {
    let replica = opening.in_memory()?;
    let mut findings = integrity(conn);
    schema(conn, &replica, &mut findings)?;
    let damaged = !findings.is_empty();
    // Where damage is told already, how far the rest could be read is of no use.
    let known = |trouble: &Trouble| damaged && matches!(trouble, Trouble::Sqlite(_));
    let Log { events, head, sound } = match log(conn, &replica, &mut findings) {
        Err(trouble) if known(&trouble) => Log { events: 0, head: Head::genesis(), sound: false },
        other => other?,
    };
    if sound {
        for table in tables(&replica)?.iter().filter(|table| *table != "audit") {
            match compare(conn, &replica, table, &mut findings) {
                Err(trouble) if known(&trouble) => {}
                other => other?,
            }
        }
    }
    Ok(Verification { events, head: head.hash, compared: sound, findings })
}

/// SQLite's own check of its pages and indexes.
fn integrity(conn: &Connection) -> Vec<Finding> {
    let check = || -> rusqlite::Result<Vec<String>> {
        let mut query = conn.prepare("PRAGMA integrity_check(100)")?;
        query.query_map([], |row| row.get(0))?.collect()
    };
    match check() {
        Ok(lines) => {
            lines.into_iter().filter(|line| line != "ok").map(|line| Finding::new("file", None, line)).collect()
        }
        Err(error) => vec![Finding::new("file", None, format!("SQLite cannot check it: {error}"))],
    }
}

/// The tables, indexes and triggers themselves.
fn schema(conn: &Connection, replica: &Connection, findings: &mut Vec<Finding>) -> rusqlite::Result<()> {
    let (found, expected) = (definitions(conn)?, definitions(replica)?);
    for (name, sql) in &expected {
        match found.get(name) {
            Some(other) if other == sql => {}
            Some(_) => findings.push(Finding::new(name, None, "is not defined as a ledger defines it")),
            None => findings.push(Finding::new(name, None, "is missing")),
        }
    }
    let foreign = found.keys().filter(|name| !expected.contains_key(*name));
    findings.extend(foreign.map(|name| Finding::new(name, None, "is not part of a ledger")));
    Ok(())
}

fn definitions(conn: &Connection) -> rusqlite::Result<BTreeMap<String, Option<String>>> {
    // SQLite keeps objects of its own under `sqlite_`, such as statistics.
    let mut query = conn
        .prepare("SELECT type || ' ' || name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'")?;
    query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// What reading the log showed.
struct Log {
    events: u64,
    head: Head,
    /// Nothing is wrong with it, and the replica is what it makes of the tables.
    sound: bool,
}

/// Checks the chain and plays it into the replica.
fn log(conn: &Connection, replica: &Connection, findings: &mut Vec<Finding>) -> Result<Log, Trouble> {
    let mut log = Log { events: 0, head: Head::genesis(), sound: true };
    replica.execute_batch("BEGIN")?;
    Entry::each::<Trouble>(conn, |entry| {
        log.events += 1;
        let (seq, problems) = match &entry {
            Ok(entry) => (entry.seq, chain(&log.head, entry)),
            Err((seq, error)) => (*seq, vec![format!("cannot be read: {error}")]),
        };
        log.sound &= problems.is_empty();
        findings.extend(problems.into_iter().map(|problem| Finding::new("audit", Some(seq.to_string()), problem)));
        let Ok(entry) = entry else {
            log.head.seq = seq;
            return Ok(());
        };
        if log.sound
            && let Err(problem) = replay(replica, &entry)
        {
            findings.push(Finding::new("audit", Some(seq.to_string()), problem));
            log.sound = false;
        }
        log.head = Head { seq, hash: entry.hash };
        Ok(())
    })?;
    replica.execute_batch("COMMIT")?;
    Ok(log)
}

/// What is wrong with an entry that comes after this head.
pub(super) fn chain(head: &Head, entry: &Entry) -> Vec<String> {
    let mut problems = Vec::new();
    let next = head.seq.saturating_add(1);
    if entry.seq < next {
        problems.push(format!("entry {next} must stand here"));
    } else if entry.seq == next.saturating_add(1) {
        problems.push(format!("the entry before it, {next}, is missing"));
    } else if entry.seq > next {
        problems.push(format!("the entries before it, {next} to {}, are missing", entry.seq.saturating_sub(1)));
    } else if entry.prev_hash != head.hash {
        problems.push("does not follow on the entry before it, which is not the one that was there".to_owned());
    }
    if entry.expected_hash() != entry.hash {
        problems.push("is not as it was written: its hash is another".to_owned());
    }
    problems
}

/// Plays an entry into a ledger whose tables are what the entries before it made of them.
pub(super) fn replay(conn: &Connection, entry: &Entry) -> Result<(), String> {
    let payload = serde_json::from_str(&entry.payload).map_err(|error| format!("its payload is no JSON: {error}"))?;
    let event = Event::read(&entry.event, payload)?;
    project(conn, entry.at, &event).map_err(|trouble| match trouble {
        Trouble::Broken(what) => what,
        Trouble::Sqlite(error) => format!("does not follow from the entries before it: {error}"),
        other => format!("{other:?}"),
    })
}

/// Compares a table with its replica, row by row in the order of their keys.
fn compare(conn: &Connection, replica: &Connection, table: &str, findings: &mut Vec<Finding>) -> Result<(), Trouble> {
    let shape = Shape::of(replica, table)?;
    let (mut found, mut expected) = (conn.prepare(&shape.query)?, replica.prepare(&shape.query)?);
    let (mut found, mut expected) = (Cursor::new(&mut found, &shape)?, Cursor::new(&mut expected, &shape)?);
    loop {
        let order = match (&found.row, &expected.row) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(found), Some(expected)) => found.key.cmp(&expected.key),
        };
        match (order, &found.row, &expected.row) {
            (Ordering::Less, Some(row), _) => {
                findings.push(Finding::new(
                    table,
                    Some(row.label()),
                    "stands in the table, and no event accounts for it",
                ));
            }
            (Ordering::Greater, _, Some(row)) => {
                findings.push(Finding::new(table, Some(row.label()), "was written, and is no longer there"));
            }
            (_, Some(found), Some(expected)) => {
                for (column, (is, was)) in shape.columns.iter().zip(found.values.iter().zip(&expected.values)) {
                    if is != was {
                        let problem = format!("`{column}` is {}, and was written as {}", shown(is), shown(was));
                        findings.push(Finding::new(table, Some(found.label()), problem));
                    }
                }
            }
            _ => {}
        }
        if order != Ordering::Greater {
            found.advance()?;
        }
        if order != Ordering::Less {
            expected.advance()?;
        }
    }
}

/// A table's columns, and how to read it in the order of its key.
struct Shape {
    columns: Vec<String>,
    /// How many columns the key has; they come first.
    key: usize,
    query: String,
}

impl Shape {
    fn of(conn: &Connection, table: &str) -> rusqlite::Result<Self> {
        let mut query = conn.prepare("SELECT name, pk FROM pragma_table_info(?1) ORDER BY pk = 0, pk, cid")?;
        let columns: Vec<(String, i64)> =
            query.query_map([table], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        let key = columns.iter().filter(|(_, place)| *place > 0).count();
        let columns: Vec<String> = columns.into_iter().map(|(name, _)| name).collect();
        let quoted: Vec<String> = columns.iter().map(|name| format!("\"{name}\"")).collect();
        let order: Vec<&str> = quoted.iter().take(key).map(String::as_str).collect();
        let query = format!("SELECT {} FROM \"{table}\" ORDER BY {}", quoted.join(", "), order.join(", "));
        Ok(Self { columns, key, query })
    }
}

/// A part of a key, ordered as SQLite orders it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum KeyPart {
    Int(i64),
    Bytes(Vec<u8>),
}

struct Line {
    key: Vec<KeyPart>,
    values: Vec<Value>,
}

impl Line {
    fn label(&self) -> String {
        let parts: Vec<String> = self
            .key
            .iter()
            .map(|part| match part {
                KeyPart::Int(number) => number.to_string(),
                KeyPart::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            })
            .filter(|part| !part.is_empty())
            .collect();
        parts.join(" ")
    }
}

struct Cursor<'a> {
    rows: Rows<'a>,
    shape: &'a Shape,
    row: Option<Line>,
}

impl<'a> Cursor<'a> {
    fn new(statement: &'a mut Statement<'_>, shape: &'a Shape) -> rusqlite::Result<Self> {
        let mut cursor = Self { rows: statement.query([])?, shape, row: None };
        cursor.advance()?;
        Ok(cursor)
    }

    fn advance(&mut self) -> rusqlite::Result<()> {
        self.row = None;
        let Some(row) = self.rows.next()? else { return Ok(()) };
        let mut line = Line { key: Vec::new(), values: Vec::new() };
        for index in 0..self.shape.columns.len() {
            let value = row.get_ref(index)?;
            if index < self.shape.key {
                line.key.push(match value {
                    ValueRef::Integer(number) => KeyPart::Int(number),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => KeyPart::Bytes(bytes.to_vec()),
                    ValueRef::Null | ValueRef::Real(_) => KeyPart::Bytes(Vec::new()),
                });
            }
            // Text that is not UTF-8 is none that was ever written, and differs from all that was.
            line.values.push(Value::try_from(value).unwrap_or(Value::Blob(Vec::new())));
        }
        self.row = Some(line);
        Ok(())
    }
}

/// A value in a message, cut where it is long.
fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "empty".to_owned(),
        Value::Integer(number) => return number.to_string(),
        Value::Real(number) => return number.to_string(),
        Value::Text(text) => text,
        Value::Blob(_) => return "no text".to_owned(),
    };
    format!("`{}`", shortened(text))
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 64;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
