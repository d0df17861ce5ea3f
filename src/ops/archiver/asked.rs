//! What the next copy of a chunk stands in for.
//!
//! A chunk's mark tells, of the table and the range that it was made for. Chunks can be merged and split
//! (`merge_chunks`, `split_chunk`): one of them keeps its mark then, with another range, and the rest have none. A copy may
//! also be of the chunk's own number and range, and the mark not know it: the mark is lost, or the database was made anew
//! and numbers its chunks anew; or a piece of one that was split has the range of an earlier one. Of what no mark tells,
//! the rows do: where those of an earlier copy are in the chunk, it stands in for that one; and where nobody can tell, the
//! chunk stays as it is until somebody has said it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::core::{QualifiedName, RowError, Value};
use crate::kinds::archive::{Bound, CopyOf, MadeFor, Mark, Part, joined};
use crate::ops::archive::export::restore as put_back;
use crate::ops::archive::manifest::Range;
use crate::ops::archive::sql::{self, Within};
use crate::ops::archiver::brought_back::{Of, bound, part_of};
use crate::ops::archiver::range::Work;
use crate::ops::archiver::store::{self, Shelf, Store};
use crate::ops::archiver::{Contents, Entry, Moment, Span, Stopped, Unsound, read_manifests, settle};

/// The names of manifests, by where they are: listed once in a run, because the copies that it makes are of chunks that
/// have nothing to do with each other.
#[derive(Default)]
pub struct Listed(Mutex<BTreeMap<(String, String), Names>>);

type Names = Arc<BTreeSet<String>>;

impl Listed {
    fn names(&self, store: &Store, shelf: &Shelf) -> Result<Names, Stopped> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (store.place(), shelf.name().to_owned());
        if let Some(names) = known.get(&key) {
            return Ok(Arc::clone(names));
        }
        let names = Arc::new(store.names(shelf.name())?);
        known.insert(key, Arc::clone(&names));
        Ok(names)
    }
}

/// What rows of a copy a chunk has.
enum There {
    /// The copy has none of the time in question.
    Nothing,
    All,
    None,
    Some {
        rows: i64,
        found: i64,
    },
    /// Why nobody can tell.
    Unknown(String),
}

impl Work<'_> {
    /// What a mark of the chunk is made for.
    pub(super) fn made_for(&self) -> MadeFor {
        let range = &self.range;
        MadeFor { table: range.table.clone(), from: range.from.clone(), until: range.until.clone() }
    }

    /// The copies that a chunk's next one stands in for, where its mark tells those.
    pub(super) fn asked(
        &mut self,
        (shelf, there): (&Shelf, &[Entry]),
        chunk: &QualifiedName,
        mark: &Mark,
        mut told: Vec<CopyOf>,
    ) -> Result<Vec<CopyOf>, Stopped> {
        let own = self.made_for();
        let of = mark.made_for();
        let whole = Part { start: bound(&own.from), end: bound(&own.until) };
        if of == Some(&own) {
            for entry in there.iter().filter(|entry| mark.knows_all() && !entry.superseded) {
                let found = self.copy_in(entry, chunk, mark, (&whole, &told))?;
                told = joined(told, found);
            }
            return Ok(told);
        }
        if *mark == Mark::Beside {
            return Ok(told);
        }
        // What is of another table has rows of that one's archive, which has them still.
        let told = if of.is_some_and(|of| of.table != own.table) { Vec::new() } else { told };
        let of = of.filter(|of| of.table == own.table);
        let marked = of.map(|of| Part { start: bound(&of.from), end: bound(&of.until) });
        // Of one that was split, what has gone with the other piece is not here.
        let mut told: Vec<CopyOf> = match &marked {
            Some(marked) => told.into_iter().filter_map(|copy| clipped(copy, marked, &whole)).collect(),
            None => told,
        };
        // What has the mark of an earlier version is of the mark's very range, of which that has told.
        let is_told = marked.is_none() && !matches!(mark, Mark::None | Mark::Instead);
        let entries = self.overlapping(shelf, &whole, is_told)?;
        for part in without(&whole, marked.as_ref()) {
            for entry in &entries {
                let found = self.copy_in(entry, chunk, mark, (&part, &told))?;
                told = joined(told, found);
            }
        }
        Ok(told)
    }

    /// The copies of the table that this store has, of any of a time; without those of the very same, where these are told.
    fn overlapping(&self, shelf: &Shelf, whole: &Part, is_told: bool) -> Result<Vec<Entry>, Stopped> {
        let store = &self.range.place;
        let names = self.listed.names(store, shelf)?;
        let is_same = |(start, end): (i64, i64)| (start, end) == (whole.start.raw, whole.end.raw);
        let is_in = |(start, end): (i64, i64)| start < whole.end.raw && end > whole.start.raw;
        let wanted = |name: &&String| store::range_of(name).is_none_or(is_in);
        let wanted: Vec<&String> = names.iter().filter(wanted).collect();
        if is_told && wanted.iter().all(|name| store::range_of(name).is_some_and(is_same)) {
            return Ok(Vec::new());
        }
        let mut read = Vec::new();
        for name in wanted {
            read.extend(store.manifest(name)?.map(|bytes| (name.clone(), bytes)));
        }
        let Contents { mut entries, .. } = read_manifests(store, read);
        settle(entries.iter_mut().collect());
        let range = |entry: &Entry| entry.manifest.range.as_ref().map(|range| (range.start.raw, range.end.raw));
        let counts = |entry: &Entry| !entry.superseded && range(entry).is_some_and(is_in);
        entries.retain(|entry| counts(entry) && !(is_told && range(entry).is_some_and(is_same)));
        Ok(entries)
    }

    /// What of a copy is in a chunk, of a part of its time of which no mark tells.
    fn copy_in(
        &mut self,
        entry: &Entry,
        chunk: &QualifiedName,
        mark: &Mark,
        (part, told): (&Part, &[CopyOf]),
    ) -> Result<Option<CopyOf>, Stopped> {
        let token = entry.manifest.token.clone();
        let known = told.iter().filter(|copy| copy.token == token);
        if known.clone().any(|copy| copy.part.is_none()) {
            return Ok(None);
        }
        let Some(range) = &entry.manifest.range else { return Ok(None) };
        let end = |bound: &Bound| (bound.text.clone(), Moment(bound.raw));
        let of = match part_of(range, (&part.start, &part.end), &Span::default()) {
            Of::None => return Ok(None),
            Of::All => None,
            Of::Some(part) => Some(part),
            Of::Unknown => {
                let why = "its time is out of what can be compared here".to_owned();
                return Err(self.untold(entry, chunk, mark, why));
            }
        };
        let copy = CopyOf { token: token.clone(), part: of.clone() };
        if *mark == Mark::Instead {
            return Ok(Some(copy));
        }
        let may_be_late = *mark == Mark::None && entry.manifest.chunk != *chunk && is_of(range, part);
        let is_whole = entry.left_out.is_empty() && known.clone().next().is_none();
        if may_be_late && is_whole && self.has_few(chunk, entry.manifest.rows)? {
            return Ok(None);
        }
        let left_out = entry.left_out.iter().chain(known.filter_map(|copy| copy.part.as_ref())).cloned().collect();
        let (from, until) = of.map(|part| (end(&part.start).0, end(&part.end).0)).unzip();
        let within = Within { column: range.column.clone(), from, until, without: left_out };
        match self.there(entry, chunk, &within)? {
            There::Nothing => Ok(None),
            There::All => Ok(Some(copy)),
            // What came late is beside what was archived before.
            There::None if !matches!(mark.made_for(), Some(of) if of.table == self.range.table) => Ok(None),
            There::None => Err(self.untold(entry, chunk, mark, "none of its rows is there as it was".to_owned())),
            // Late rows may be such that are archived already: what is sent twice is there twice.
            There::Some { rows, found } if may_be_late && is_few(found, rows) => Ok(None),
            There::Some { .. } => {
                Err(self.untold(entry, chunk, mark, "only some of its rows are there as they were".to_owned()))
            }
            There::Unknown(why) => Err(self.untold(entry, chunk, mark, why)),
        }
    }

    /// Whether a chunk has few of so many rows at the most, and is therefore one that late rows have made: what was split off,
    /// or has lost its mark, has all or most of them.
    fn has_few(&mut self, chunk: &QualifiedName, rows: u64) -> Result<bool, Stopped> {
        let sql = self.render("archive/rows.sql", &[("chunk", Value::Name(chunk.clone()))])?;
        let counted = self.query(&sql, Vec::new())?;
        let own = counted.first().map_or(Ok(0), |row| row.int("rows"));
        let own = own.map_err(|error| Stopped::Refused(error.to_string()))?;
        Ok(is_few(own, i64::try_from(rows).unwrap_or(i64::MAX)))
    }

    /// Compares a copy's rows with a chunk's. All of it is undone.
    fn there(&mut self, entry: &Entry, chunk: &QualifiedName, within: &Within) -> Result<There, Stopped> {
        (self.tell)(&format!("{}: no mark tells whether it has the rows of {}", chunk.name, entry.file()));
        let archive = match entry.open() {
            Ok(archive) => archive,
            Err(Unsound::Archive(error)) => return Ok(There::Unknown(error.to_string())),
            Err(Unsound::Store(error)) => return Err(error.into()),
        };
        self.session.batch("BEGIN")?;
        let compared = self.compared(&archive, chunk, within);
        let ended = self.session.batch("ROLLBACK");
        let compared = compared?;
        ended?;
        Ok(compared)
    }

    fn compared(
        &mut self,
        archive: &crate::ops::archive::Archive<crate::ops::archive::DataFile>,
        chunk: &QualifiedName,
        within: &Within,
    ) -> Result<There, Stopped> {
        self.session.batch(&sql::settings()?)?;
        let make = self.render("archive/asked.sql", &[("chunk", Value::Name(chunk.clone()))])?;
        self.session.execute(&make)?;
        let asked = QualifiedName::new("pg_temp", "chronoform_asked");
        match put_back(self.session, archive, &asked, Some(within)).map_err(Stopped::from) {
            Ok(0) => return Ok(There::Nothing),
            Ok(_) => {}
            Err(stopped @ (Stopped::Interrupted | Stopped::Store(_))) => return Err(stopped),
            // A column that has come or gone since.
            Err(stopped) => return Ok(There::Unknown(stopped.to_string())),
        }
        let compare = self.render("archive/compared.sql", &[("chunk", Value::Name(chunk.clone()))])?;
        let rows = self.query(&compare, Vec::new())?;
        let row = rows.first().ok_or_else(|| Stopped::Refused("the server compared nothing".to_owned()))?;
        let read = || Ok((row.int("rows")?, row.int("found")?));
        let (rows, found) = read().map_err(|error: RowError| Stopped::Refused(error.to_string()))?;
        Ok(match found {
            0 => There::None,
            found if found == rows => There::All,
            found => There::Some { rows, found },
        })
    }

    fn untold(&self, entry: &Entry, chunk: &QualifiedName, mark: &Mark, why: String) -> Stopped {
        let (own, of) = (self.made_for(), mark.made_for());
        let beside = match mark {
            // What it knows, it knows still, and is asked no more.
            mark if mark.knows_all() && of == Some(&own) => Mark::Restored { before: mark.copies(), of: of.cloned() },
            mark => mark.clone().made_for_all(own),
        };
        let beside = beside.text().unwrap_or_default();
        Stopped::Untold { chunk: chunk.clone(), file: entry.file(), why, beside }
    }
}

/// Less than half.
fn is_few(found: i64, rows: i64) -> bool {
    found < rows - found
}

/// Whether a copy is of the very time that a chunk is of.
fn is_of(range: &Range, whole: &Part) -> bool {
    (range.start.raw, range.end.raw) == (whole.start.raw, whole.end.raw)
}

/// What a mark that was made for a time tells of a copy, where the chunk has another time by now.
fn clipped(copy: CopyOf, marked: &Part, whole: &Part) -> Option<CopyOf> {
    if whole.start.raw <= marked.start.raw && whole.end.raw >= marked.end.raw {
        return Some(copy);
    }
    let of = copy.part.as_ref().unwrap_or(marked);
    let start = [&of.start, &whole.start].into_iter().max_by_key(|bound| bound.raw)?;
    let end = [&of.end, &whole.end].into_iter().min_by_key(|bound| bound.raw)?;
    let part = Part { start: start.clone(), end: end.clone() };
    (start.raw < end.raw).then_some(CopyOf { token: copy.token, part: Some(part) })
}

/// A time without another.
fn without(whole: &Part, marked: Option<&Part>) -> Vec<Part> {
    let Some(marked) = marked else { return vec![whole.clone()] };
    let part = |start: &Bound, end: &Bound| Part { start: start.clone(), end: end.clone() };
    let end = if marked.start.raw < whole.end.raw { &marked.start } else { &whole.end };
    let start = if marked.end.raw > whole.start.raw { &marked.end } else { &whole.start };
    let (before, after) = (part(&whole.start, end), part(start, &whole.end));
    [before, after].into_iter().filter(|part| part.start.raw < part.end.raw).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(start: i64, end: i64) -> Part {
        let bound = |raw: i64| Bound { text: raw.to_string(), raw };
        Part { start: bound(start), end: bound(end) }
    }

    #[test]
    fn of_a_chunk_that_was_merged_the_mark_tells_its_own_time() {
        let copy = CopyOf::whole("1-2-3");
        assert_eq!(clipped(copy.clone(), &part(0, 10), &part(0, 20)), Some(copy));
        assert_eq!(without(&part(0, 20), Some(&part(0, 10))), [part(10, 20)]);
        assert_eq!(without(&part(0, 30), Some(&part(10, 20))), [part(0, 10), part(20, 30)]);
        assert_eq!(without(&part(0, 30), None), [part(0, 30)]);
        assert_eq!(without(&part(0, 10), Some(&part(20, 30))), [part(0, 10)]);
    }

    #[test]
    fn of_a_chunk_that_was_split_the_mark_tells_what_stayed() {
        let of = |part: Part| Some(CopyOf { token: "1-2-3".to_owned(), part: Some(part) });
        assert_eq!(clipped(CopyOf::whole("1-2-3"), &part(0, 20), &part(0, 10)), of(part(0, 10)));
        assert_eq!(clipped(of(part(5, 15)).unwrap(), &part(0, 20), &part(0, 10)), of(part(5, 10)));
        assert_eq!(clipped(of(part(15, 20)).unwrap(), &part(0, 20), &part(0, 10)), None);
        assert_eq!(without(&part(0, 10), Some(&part(0, 20))), Vec::<Part>::new());
    }
}
