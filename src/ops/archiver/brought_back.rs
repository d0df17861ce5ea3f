//! The chunks that archived rows come back into: what of which copy each has from then on, and that nothing takes it
//! away again.
//!
//! A chunk bears the copies that its rows are in, so that another copy of it stands in for those. It is frozen where
//! the server can; what a restore has frozen, another may thaw, fill and freeze again.

use std::collections::BTreeSet;

use crate::core::{Param, QualifiedName, Query, Row, RowError, Value};
use crate::kinds::archive::{Bound, CopyOf, MadeFor, Mark, Part, joined};
use crate::ops::archive::manifest::Range;
use crate::ops::archiver::{Entry, Moment, Span, Stopped};
use crate::pg::Session;
use crate::render::{Context, Renderer};

/// A chunk of the hypertable that rows come back into.
struct Chunk {
    name: QualifiedName,
    start: Bound,
    end: Bound,
    mark: Mark,
    frozen: bool,
    /// By this transaction, and not by others meanwhile, whose chunks take what is written now.
    made: bool,
}

/// What comes back into a hypertable of its own.
pub struct Back<'a> {
    /// The hypertable.
    pub table: &'a QualifiedName,
    /// The copies.
    pub entries: &'a [&'a Entry],
    /// What of them.
    pub span: &'a Span,
    /// Whether the server can freeze chunks.
    pub freezes: bool,
}

impl Back<'_> {
    /// Thaws the chunks that an earlier restore has frozen, where rows are to go into them.
    ///
    /// # Errors
    /// Where a chunk is frozen for something else.
    pub fn thaw(&self, session: &mut Session) -> Result<BTreeSet<QualifiedName>, Stopped> {
        let mut thawed = BTreeSet::new();
        if !self.freezes {
            return Ok(thawed);
        }
        for chunk in chunks(session, self.table)?.into_iter().filter(|chunk| chunk.frozen) {
            if self.copies_in(&chunk)?.is_empty() {
                continue;
            }
            if !chunk.mark.is_of_a_restore() {
                return Err(Stopped::Refused(is_frozen(&chunk)));
            }
            run(session, "archive/thaw.sql", &chunk.name, None)?;
            thawed.insert(chunk.name);
        }
        Ok(thawed)
    }

    /// Marks the chunks that have the rows now, and freezes them: also those that were there before, from which the next
    /// run would otherwise take the rows away again. Gives how many it froze, and those that it did not, because
    /// they reach into what is to come.
    ///
    /// # Errors
    /// What the server says; where nobody can tell what of a copy a chunk has.
    pub fn mark(
        &self,
        session: &mut Session,
        thawed: &BTreeSet<QualifiedName>,
        now_micros: i64,
    ) -> Result<(usize, Vec<QualifiedName>), Stopped> {
        let (mut frozen, mut open) = (0, Vec::new());
        let now = if self.freezes { now(session, self.table, now_micros)? } else { None };
        for chunk in chunks(session, self.table)? {
            let copies = self.copies_in(&chunk)?;
            let has_rows = !copies.is_empty();
            if has_rows {
                let before = joined(chunk.mark.copies(), copies);
                // What a mark was made for stays, where that is another range: of the rest it tells nothing.
                let of = match &chunk.mark {
                    Mark::None => Some(self.made_for(&chunk)),
                    mark => mark.made_for().cloned(),
                };
                let mark = match chunk.mark {
                    Mark::Unreadable => Mark::Unreadable,
                    Mark::Instead => Mark::Instead,
                    _ => Mark::Restored { before, of },
                };
                run(session, "archive/mark.sql", &chunk.name, mark.text())?;
            }
            // Frozen, one that reaches into what is to come would refuse the rows of now.
            let is_over = now.is_some_and(|now| chunk.end.raw <= now);
            if self.freezes && (thawed.contains(&chunk.name) || (chunk.made || has_rows) && is_over) {
                run(session, "archive/freeze.sql", &chunk.name, None)?;
                frozen += 1;
            } else if self.freezes && has_rows {
                open.push(chunk.name);
            }
        }
        Ok((frozen, open))
    }

    fn made_for(&self, chunk: &Chunk) -> MadeFor {
        MadeFor { table: self.table.clone(), from: chunk.start.text.clone(), until: chunk.end.text.clone() }
    }

    /// What of the copies has its place in a chunk.
    fn copies_in(&self, chunk: &Chunk) -> Result<Vec<CopyOf>, Stopped> {
        let mut found = Vec::new();
        for Entry { manifest, .. } in self.entries.iter().copied() {
            let token = manifest.token.clone();
            match manifest.range.as_ref().map_or(Of::All, |range| part_of(range, (&chunk.start, &chunk.end), self.span))
            {
                Of::None => {}
                Of::All => found.push(CopyOf { token, part: None }),
                Of::Some(part) => found.push(CopyOf { token, part: Some(part) }),
                Of::Unknown => {
                    return Err(Stopped::Refused(format!(
                        "nobody can tell what of the copy of {} has its place in {}, whose time is out of what can be \
                         compared here: bring the rows into a table of their own (--into)",
                        manifest.chunk, chunk.name
                    )));
                }
            }
        }
        Ok(found)
    }
}

fn is_frozen(chunk: &Chunk) -> String {
    let name = &chunk.name;
    match chunk.mark {
        Mark::Begun { .. } => format!(
            "{name} is frozen, because a run of the archive has begun with it: let `chronoform run archive` end its work first"
        ),
        _ => format!(
            "{name} is frozen, and by no restore: bring the rows into another table (--into), or thaw it first (`SELECT \
             _timescaledb_functions.unfreeze_chunk('{}')`)",
            name.to_string().replace('\'', "''")
        ),
    }
}

fn run(session: &mut Session, template: &str, chunk: &QualifiedName, mark: Option<String>) -> Result<(), Stopped> {
    let context = Context::from([
        ("chunk".to_owned(), Value::Name(chunk.clone())),
        ("mark".to_owned(), mark.map_or(Value::Null, Value::Text)),
    ]);
    let sql = Renderer::new().render(template, &context).map_err(|error| Stopped::Refused(error.to_string()))?;
    session.execute(&sql.unwrap_or_default())?;
    Ok(())
}

fn chunks(session: &mut Session, table: &QualifiedName) -> Result<Vec<Chunk>, Stopped> {
    let params = vec![Param::Text(table.schema.clone()), Param::Text(table.name.clone())];
    let rows = session.query(&Query { sql: include_str!("chunks.sql").to_owned(), params })?;
    let read = |row: &Row| {
        Ok(Chunk {
            name: QualifiedName::new(row.text("schema")?, row.text("name")?),
            start: bound(row.maybe_text("range_start")?.unwrap_or("-infinity")),
            end: bound(row.maybe_text("range_end")?.unwrap_or("infinity")),
            mark: Mark::read(row.maybe_text("mark")?),
            frozen: row.bool("frozen")?,
            made: row.bool("made")?,
        })
    };
    let chunks: Result<Vec<Chunk>, RowError> = rows.iter().map(read).collect();
    chunks.map_err(|error| Stopped::Refused(error.to_string()))
}

/// What is over on the table's own time: all that is before this point. None where nobody can tell.
///
/// # Errors
/// A lost connection, and what cannot be read.
fn now(session: &mut Session, table: &QualifiedName, now_micros: i64) -> Result<Option<i64>, Stopped> {
    let params = vec![Param::Text(table.schema.clone()), Param::Text(table.name.clone())];
    let rows = session.query(&Query { sql: include_str!("clock.sql").to_owned(), params })?;
    let Some(row) = rows.first() else { return Ok(None) };
    let read = || {
        let function = row.maybe_text("schema")?.zip(row.maybe_text("name")?);
        Ok((row.text("type")?, function.map(|(schema, name)| QualifiedName::new(schema, name))))
    };
    let (kind, function) = read().map_err(|error: RowError| Stopped::Refused(error.to_string()))?;
    match (kind, function) {
        ("bigint" | "integer" | "smallint", None) => Ok(None),
        ("bigint" | "integer" | "smallint", Some(function)) => own_now(session, &function),
        // Of a place that nobody knows: there it may still be the day before.
        ("timestamp without time zone" | "date", _) => Ok(now_micros.checked_sub(DAY_MICROS)),
        _ => Ok(Some(now_micros)),
    }
}

/// A day, in microseconds.
const DAY_MICROS: i64 = 86_400_000_000;

/// What a table's `integer_now` says. It is somebody's own: where it fails, nobody knows.
fn own_now(session: &mut Session, function: &QualifiedName) -> Result<Option<i64>, Stopped> {
    let context = Context::from([("function".to_owned(), Value::Name(function.clone()))]);
    let sql = Renderer::new().render("archive/own_now.sql", &context);
    let sql = sql.map_err(|error| Stopped::Refused(error.to_string()))?.unwrap_or_default();
    session.batch("SAVEPOINT own_now")?;
    let told = session.query_text(&sql);
    let now = told.ok().and_then(|rows| rows.first()?.int("now").ok());
    if now.is_none() {
        session.batch("ROLLBACK TO SAVEPOINT own_now")?;
    }
    Ok(now)
}

/// A point as the server shows it. What cannot be read is before or after all that can.
pub fn bound(text: &str) -> Bound {
    let beyond = if text.starts_with('-') || text.ends_with("BC") { i64::MIN } else { i64::MAX };
    Bound { text: text.to_owned(), raw: Moment::read(text).map_or(beyond, |moment| moment.0) }
}

/// What of a copy has its place somewhere.
#[derive(PartialEq, Eq, Debug)]
pub enum Of {
    /// Nothing.
    None,
    /// All of it.
    All,
    /// A part.
    Some(Part),
    /// Nobody can tell.
    Unknown,
}

/// What of a copy's range is in a chunk's, and in a span.
pub fn part_of(range: &Range, (start, end): (&Bound, &Bound), span: &Span) -> Of {
    let (first, last) = (bound(&range.start.text), bound(&range.end.text));
    let asked =
        |end: &Option<(String, Moment)>| end.as_ref().map(|(text, moment)| Bound { text: text.clone(), raw: moment.0 });
    let starts = [Some(first.clone()), Some(start.clone()), asked(&span.from)];
    let ends = [Some(last.clone()), Some(end.clone()), asked(&span.until)];
    let from = starts.iter().flatten().max_by_key(|bound| bound.raw);
    let until = ends.iter().flatten().min_by_key(|bound| bound.raw);
    let (Some(from), Some(until)) = (from, until) else { return Of::Unknown };
    let is_beyond = |bound: &Bound| bound.raw == i64::MIN || bound.raw == i64::MAX;
    // Of several that cannot be read, nobody knows which is the later.
    let is_open = |own: &Bound, all: &[Option<Bound>]| {
        is_beyond(own) && all.iter().flatten().any(|other| other.raw == own.raw && other.text != own.text)
    };
    if is_open(from, &starts) || is_open(until, &ends) {
        return Of::Unknown;
    }
    if (from, until) == (&first, &last) || (from.raw, until.raw) == (first.raw, last.raw) {
        return Of::All;
    }
    if from.raw >= until.raw { Of::None } else { Of::Some(Part { start: from.clone(), end: until.clone() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(copy: (&str, &str), chunk: (&str, &str), span: (Option<&str>, Option<&str>)) -> Of {
        let range = Range { column: "time".to_owned(), start: bound(copy.0), end: bound(copy.1) };
        let asked = |text: Option<&str>| text.map(|text| (text.to_owned(), Moment::read(text).unwrap()));
        let span = Span { from: asked(span.0), until: asked(span.1) };
        part_of(&range, (&bound(chunk.0), &bound(chunk.1)), &span)
    }

    fn part(start: &str, end: &str) -> Of {
        Of::Some(Part { start: bound(start), end: bound(end) })
    }

    #[test]
    fn what_of_a_copy_is_in_a_chunk() {
        let all = (None, None);
        assert_eq!(of(("10", "20"), ("10", "20"), all), Of::All);
        assert_eq!(of(("10", "20"), ("0", "100"), all), Of::All);
        assert_eq!(of(("10", "20"), ("20", "30"), all), Of::None);
        assert_eq!(of(("10", "20"), ("15", "30"), all), part("15", "20"));
        assert_eq!(of(("10", "20"), ("10", "20"), (Some("12"), Some("14"))), part("12", "14"));
        assert_eq!(of(("10", "20"), ("10", "20"), (Some("5"), Some("20"))), Of::All);
        assert_eq!(of(("10", "20"), ("10", "20"), (Some("30"), None)), Of::None);
    }

    #[test]
    fn what_cannot_be_compared_is_said_so() {
        let (old, older) = (("0044-03-01 00:00:00+00 BC", "0044-03-02 00:00:00+00 BC"), "0100-01-01 00:00:00+00 BC");
        let day = ("2026-01-01 00:00:00+00", "2026-01-02 00:00:00+00");
        assert_eq!(of(day, old, (None, None)), Of::None);
        assert_eq!(of(old, day, (None, None)), Of::None);
        assert_eq!(of(old, old, (None, None)), Of::All);
        assert_eq!(of(old, (older, old.1), (None, None)), Of::Unknown);
        assert_eq!(of(day, ("-infinity", "infinity"), (None, None)), Of::All);
    }
}
