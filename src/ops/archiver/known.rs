//! What the ledger is told of archives, and what of that is missed.

use crate::core::{Task, Value};
use crate::kinds::archive::TASK;
use crate::kinds::archive_store::{self, EXPIRES};
use crate::ledger::{Archived, ArchivedChunk, ArchivedRecord};
use crate::ops::archiver::range::Range;
use crate::ops::archiver::store::{Store, beginning, of_database};
use crate::ops::archiver::{Contents, Moment, Span};

/// What the work of a plan does with archives; `database` is the cluster's system identifier and the database's name.
pub fn done_to_archives(task: &Task, database: (&str, &str)) -> Vec<Archived> {
    if task.name == archive_store::TASK {
        return removed(task, database);
    }
    if task.name != TASK {
        return Vec::new();
    }
    // What cannot be read does not go on either.
    let Ok(range) = Range::read(task) else { return Vec::new() };
    let kept = range.chunks.iter().map(|chunk| {
        Archived::Kept(ArchivedChunk {
            place: range.place.place(),
            file: beginning(database, &range.table, chunk, (&range.from, &range.until)),
            table: range.table.clone(),
            chunk: chunk.name.clone(),
            from: range.from.clone(),
            until: range.until.clone(),
        })
    });
    kept.collect()
}

fn removed(task: &Task, database: (&str, &str)) -> Vec<Archived> {
    let Ok(Some(store)) = Store::of(|name| task.arguments.get(name)) else { return Vec::new() };
    let names = task.arguments.get(EXPIRES).map(Value::as_list).unwrap_or_default();
    let removed = names
        .iter()
        .filter_map(Value::as_text)
        .map(|name| Archived::Removed { place: store.place(), file: format!("{}/{name}", of_database(database)) });
    removed.collect()
}

/// What the ledger knows to be in stores and is in none of them: neither its manifest nor, therefore, anything that
/// its file would be known by.
pub fn missed(known: Vec<ArchivedRecord>, stores: &[(Store, &Contents)]) -> Vec<ArchivedRecord> {
    let is_missed = |record: &ArchivedRecord| {
        let (place, file) = (&record.chunk.place, &record.chunk.file);
        let mut of_it = stores.iter().filter(|(store, _)| store.place() == *place).peekable();
        of_it.peek().is_some() && of_it.all(|(_, contents)| !contents.has(file))
    };
    known.into_iter().filter(is_missed).collect()
}

/// Whether a chunk has any of a span.
pub fn overlaps(chunk: &ArchivedChunk, span: &Span) -> bool {
    let raw = |text: &str, else_at: i64| Moment::read(text).map_or(else_at, |moment| moment.0);
    span.overlaps(raw(&chunk.from, i64::MIN), raw(&chunk.until, i64::MAX))
}
