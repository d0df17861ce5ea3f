//! Archived rows back into a table.

use std::collections::BTreeSet;

use crate::core::name::quote_identifier;
use crate::core::{Param, QualifiedName, Query, RowError, Server, Value};
use crate::ops::archive::export::restore as put_back;
use crate::ops::archive::manifest::{Bound, Range};
use crate::ops::archive::sql::{self, Within};
use crate::ops::archiver::brought_back::Back;
use crate::ops::archiver::moment::is_number;
use crate::ops::archiver::{Entry, Moment, Stopped, Unsound};
use crate::pg::Session;
use crate::render::{Context, Renderer};

/// A span of a hypertable's time: from one moment on, and up to another.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Span {
    /// From this on, as written and as read.
    pub from: Option<(String, Moment)>,
    /// Up to this, and without it.
    pub until: Option<(String, Moment)>,
}

impl Span {
    /// The span of a range; of what has none, all.
    pub fn of(range: Option<&Range>) -> Self {
        let end = |bound: &Bound| Some((bound.text.clone(), Moment(bound.raw)));
        range.map_or_else(Self::default, |range| Self { from: end(&range.start), until: end(&range.end) })
    }

    /// That what it is told by goes with the time of a table, by a point of that: a whole number means nothing among
    /// dates, and neither does a date among whole numbers.
    ///
    /// # Errors
    /// What does not go with it, and what does.
    pub fn goes_with(&self, point: &str) -> Result<(), (&str, &'static str)> {
        let is_wrong = |(text, _): &&(String, Moment)| is_number(text) != is_number(point);
        match self.from.iter().chain(&self.until).find(is_wrong) {
            None => Ok(()),
            Some((text, _)) if is_number(text) => Err((text, "a time: write a date such as `2026-01-31`")),
            Some((text, _)) => Err((text, "a whole number: write one such as `1700000000`")),
        }
    }

    /// An end that is not at the beginning of a day, in UTC: servers cut that off where they compare with a `date`.
    pub fn time_of_day(&self) -> Option<&str> {
        let mut ends = self.from.iter().chain(&self.until);
        ends.find(|(_, moment)| moment.0 % 86_400_000_000 != 0).map(|(text, _)| text.as_str())
    }

    /// Whether a range has nothing beside it.
    pub fn contains(&self, start: i64, end: i64) -> bool {
        self.from.as_ref().is_none_or(|(_, from)| start >= from.0)
            && self.until.as_ref().is_none_or(|(_, until)| end <= until.0)
    }

    /// Whether a time is in it, as the server shows that. What cannot be read is not left out.
    pub fn has(&self, text: Option<&str>) -> bool {
        let at = match text {
            None => return false,
            Some("infinity") => Some(i64::MAX),
            Some("-infinity") => Some(i64::MIN),
            Some(text) => Moment::read(text).map(|moment| moment.0),
        };
        at.is_none_or(|at| {
            self.from.as_ref().is_none_or(|(_, from)| at >= from.0)
                && self.until.as_ref().is_none_or(|(_, until)| at < until.0)
        })
    }

    /// Whether a range has any of it.
    pub fn overlaps(&self, start: i64, end: i64) -> bool {
        self.from.as_ref().is_none_or(|(_, from)| end > from.0)
            && self.until.as_ref().is_none_or(|(_, until)| start < until.0)
    }
}

/// What was brought back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Restored {
    /// How many files were read.
    pub files: usize,
    /// How many rows they gave.
    pub rows: u64,
    /// How many chunks were frozen, so that neither retention nor the archive takes them again.
    pub frozen: usize,
    /// Those that were not, because rows of now go into them.
    pub open: Vec<QualifiedName>,
}

/// Puts the rows of entries into a table, all in one transaction: what is interrupted has brought back
/// nothing. Every value is proved on the way. In the hypertable itself, the chunks that take the rows bear from which
/// copies they are, and those that come to be by it are frozen, where the server can, and nobody else's.
///
/// # Errors
/// What stopped it; nothing is brought back then.
pub fn restore(
    session: &mut Session,
    server: &Server,
    entries: &[&Entry],
    span: &Span,
    into: &QualifiedName,
    tell: &mut dyn FnMut(&str),
) -> Result<Restored, Stopped> {
    session.batch("BEGIN; SET LOCAL lock_timeout = '10s'")?;
    let restored = within(session, server, entries, span, into, tell);
    match restored {
        Ok(restored) => {
            session.batch("COMMIT")?;
            Ok(restored)
        }
        Err(stopped) => {
            // A connection that is gone has rolled back already.
            let _ = session.batch("ROLLBACK");
            Err(stopped)
        }
    }
}

fn within(
    session: &mut Session,
    server: &Server,
    entries: &[&Entry],
    span: &Span,
    into: &QualifiedName,
    tell: &mut dyn FnMut(&str),
) -> Result<Restored, Stopped> {
    session.batch(&sql::settings()?)?;
    let is_own = entries.iter().any(|entry| entry.manifest.relation == *into);
    let back = is_own.then_some(Back { table: into, entries, span, freezes: server.has_community_features() });
    let mut restored = Restored::default();
    is_a_table(session, server, into)?;
    nothing_fires(session, server, into)?;
    for entry in entries {
        nothing_there(session, entry, span, into)?;
    }
    let thawed = back.as_ref().map_or(Ok(BTreeSet::new()), |back| back.thaw(session))?;
    for entry in entries {
        let named = |unsound: Unsound| match unsound {
            Unsound::Archive(error) => Stopped::Refused(format!("{}: {error}", entry.file())),
            Unsound::Store(error) => error.into(),
        };
        let archive = entry.open().map_err(named)?;
        let column = entry.manifest.range.as_ref().map(|range| range.column.as_str()).unwrap_or_default();
        let written = |end: &Option<(String, Moment)>| end.as_ref().map(|(text, _)| text.clone());
        let (from, until, without) = (written(&span.from), written(&span.until), entry.left_out.clone());
        let is_part = from.is_some() || until.is_some() || !without.is_empty();
        let part = is_part.then(|| Within { column: column.to_owned(), from, until, without });
        let rows = put_back(session, &archive, into, part.as_ref())?;
        tell(&format!("{}: {rows} rows", entry.manifest.chunk.name));
        restored.files += 1;
        restored.rows += rows;
    }
    if let Some(back) = back {
        (restored.frozen, restored.open) = back.mark(session, &thawed, server.now_micros)?;
    }
    Ok(restored)
}

/// That rows go into a table by itself: behind a view, or a table of another server, nobody knows where they go, and in
/// a chunk of a hypertable they would be unknown to that.
fn is_a_table(session: &mut Session, server: &Server, into: &QualifiedName) -> Result<(), Stopped> {
    let mut is_any = |sql: &str| {
        let params = vec![Param::Text(into.schema.clone()), Param::Text(into.name.clone())];
        let rows = session.query(&Query { sql: sql.to_owned(), params })?;
        Ok::<bool, Stopped>(!rows.is_empty())
    };
    let what = if is_any(OTHER)? {
        "is no table, and nobody knows where its rows go"
    } else if server.timescaledb.is_some() && is_any(CHUNK)? {
        "is a chunk of a hypertable, which would not know that they are in an archive"
    } else {
        return Ok(());
    };
    Err(Stopped::Refused(format!(
        "{into} {what}: bring them into the table that they are from, or into one of their own (--into)"
    )))
}

/// What is no table.
const OTHER: &str = "SELECT 1 AS found FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
                     WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind NOT IN ('r', 'p')";
/// What is a chunk.
const CHUNK: &str = "SELECT 1 AS found FROM timescaledb_information.chunks WHERE chunk_schema = $1 AND chunk_name = $2";

/// That nothing of the table's own would change the rows on their way in, or make something of them: neither is a
/// part of what was archived.
fn nothing_fires(session: &mut Session, server: &Server, into: &QualifiedName) -> Result<(), Stopped> {
    let params = || vec![Param::Text(into.schema.clone()), Param::Text(into.name.clone())];
    let unexpected = |error: RowError| Stopped::Refused(error.to_string());
    let mut hypertable = 0;
    if server.timescaledb.is_some() {
        let sql = "SELECT pg_catalog.count(*) AS known FROM _timescaledb_catalog.hypertable \
                   WHERE schema_name = $1 AND table_name = $2";
        let rows = session.query(&Query { sql: sql.to_owned(), params: params() })?;
        hypertable = rows.first().map_or(Ok(0), |row| row.int("known")).map_err(unexpected)?;
    }
    let params = [params(), vec![Param::Int(hypertable)]].concat();
    let rows = session.query(&Query { sql: include_str!("fires.sql").to_owned(), params })?;
    let Some(row) = rows.first() else { return Ok(()) };
    let read = || Ok((row.text("what")?, row.text("name")?, row.bool("disabled")?));
    let (what, name, is_disabled) = read().map_err(unexpected)?;
    let though = if is_disabled { ", which is disabled, but not in chunks that are made anew" } else { "" };
    let (table, quoted) = (into.to_string(), quote_identifier(name));
    let or = match (what, hypertable) {
        ("rule", _) => format!("disable it for that time (`ALTER TABLE {table} DISABLE RULE {quoted}`)"),
        (_, 0) => format!("disable it for that time (`ALTER TABLE {table} DISABLE TRIGGER {quoted}`)"),
        _ => "drop it for that time".to_owned(),
    };
    Err(Stopped::Refused(format!(
        "{into} has the {what} \"{name}\"{though}: it would change the rows, or do something else with them; bring \
         them into a table without it (--into), or {or}"
    )))
}

/// That the table has no rows of the time that is to come back: there they would be twice.
fn nothing_there(session: &mut Session, entry: &Entry, span: &Span, into: &QualifiedName) -> Result<(), Stopped> {
    let Some(range) = &entry.manifest.range else { return Ok(()) };
    let end = |end: &Option<(String, Moment)>| end.as_ref().map_or(Value::Null, |(text, _)| Value::text(text));
    let context = [
        ("table", Value::Name(into.clone())),
        ("column", Value::text(&range.column)),
        ("start", Value::text(&range.start.text)),
        ("end", Value::text(&range.end.text)),
        ("from", end(&span.from)),
        ("until", end(&span.until)),
    ];
    let context: Context = context.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let sql = Renderer::new().render("archive/occupied.sql", &context);
    let sql = sql.map_err(|error| Stopped::Refused(error.to_string()))?.unwrap_or_default();
    let rows = session.query_text(&sql)?;
    let count = rows.first().map_or(Ok(0), |row| row.int("rows"));
    let count = count.map_err(|error| Stopped::Refused(error.to_string()))?;
    if count == 0 {
        return Ok(());
    }
    let have = if count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
    Err(Stopped::Refused(format!(
        "{into} has {have} from {} to {} already, and may then have them twice: bring the archive's into a table that has \
         none of that time (--into), and compare",
        range.start.text, range.end.text
    )))
}
