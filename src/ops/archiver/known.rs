//! What the ledger is told of archives, and what of that is missed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::core::{Address, Desired, Interval, QualifiedName, Server, Task, Value};
use crate::diag::{Diagnostic, Failure};
use crate::kinds::archive::TASK;
use crate::kinds::archive_store::{self, EXPIRES, KEEP, LOST};
use crate::ledger::{Archived, ArchivedChunk, ArchivedRecord, Moment as At};
use crate::ops::archiver::expire::before;
use crate::ops::archiver::range::Range;
use crate::ops::archiver::store::{Store, beginning, of_database};
use crate::ops::archiver::{Contents, Entry, Moment, Span};
use crate::plan::Plan;

/// So many are named where the same is to be said of all.
const NAMED: usize = 5;

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

/// A store, how long it keeps what is in it, and that.
pub struct Place<'a> {
    /// Where it is.
    pub place: String,
    /// How long.
    pub keep: Option<Interval>,
    /// What is in it.
    pub contents: &'a Contents,
}

/// Whether a statement of which nobody knows how it ended has done what it was to do with archives: what a run has
/// brought to one has its manifest there, and what has left one has none. Nothing where nobody can tell.
pub fn has_happened(done: &[Archived], stores: &[Store]) -> Option<bool> {
    let mut all = true;
    for archived in done {
        let (Archived::Kept(ArchivedChunk { place, file, .. }) | Archived::Removed { place, file }) = archived;
        let store = stores.iter().find(|store| store.place() == *place)?;
        let names = store.names(file.rsplit_once('/')?.0).ok()?;
        all &= match archived {
            Archived::Kept(_) => begins(&names, file),
            Archived::Removed { .. } => !names.contains(file),
        };
    }
    Some(all)
}

/// What the ledger knows to be in stores and is in none of them: neither its manifest nor, therefore, anything that
/// its file would be known by. What is older than its store keeps it may have been removed from another machine.
pub fn missed(known: Vec<ArchivedRecord>, stores: &[Place<'_>]) -> Vec<ArchivedRecord> {
    let is_missed = |ArchivedRecord { chunk, .. }: &ArchivedRecord| {
        let mut of_it = stores.iter().filter(|store| store.place == chunk.place).peekable();
        of_it.peek().is_some() && of_it.all(|store| !store.contents.has(&chunk.file) && !has_expired(chunk, store.keep))
    };
    known.into_iter().filter(is_missed).collect()
}

/// Copies of which the ledger knows that their time was archived again later, where nobody has looked: what is there may
/// stand in for them. Of the stores that were looked at, some are meant; of the others, only what they have counts. A copy
/// that no run has put where it is was brought there by somebody, and which are later than that, nobody can tell.
pub fn doubted<'a>(
    entries: impl Iterator<Item = &'a Entry>,
    known: &'a [ArchivedRecord],
    (meant, others): (&[Place<'_>], &[Place<'_>]),
) -> Vec<(&'a Entry, &'a ArchivedRecord)> {
    let is_seen = |ArchivedRecord { chunk, .. }: &ArchivedRecord| {
        let has = |store: &Place<'_>| store.contents.has(&chunk.file) || has_expired(chunk, store.keep);
        meant.iter().any(|store| store.place == chunk.place)
            || others.iter().any(|store| store.place == chunk.place && has(store))
    };
    let mut unseen: BTreeMap<&QualifiedName, Vec<&ArchivedRecord>> = BTreeMap::new();
    for record in known.iter().filter(|record| !is_seen(record)) {
        unseen.entry(&record.chunk.table).or_default().push(record);
    }
    if unseen.is_empty() {
        return Vec::new();
    }
    let put = known.iter().map(|record| ((record.chunk.place.clone(), record.chunk.file.clone()), record.at));
    let put: BTreeMap<(String, String), At> = put.collect();
    let later = |entry: &'a Entry| {
        let key = (entry.place(), entry.name.clone());
        let ((place, beginning), at) = put.range(..=&key).next_back()?;
        let is_put = *place == key.0 && key.1.starts_with(beginning);
        let (span, database) = (Span::of(entry.manifest.range.as_ref()), |name: &'a str| name.split('/').next());
        let is_later = |record: &&&'a ArchivedRecord| {
            let is_of_it = database(&record.chunk.file) == database(&entry.name) && overlaps(&record.chunk, &span);
            is_put && is_of_it && record.at > *at
        };
        Some((entry, *unseen.get(&entry.manifest.relation)?.iter().find(is_later)?))
    };
    entries.filter_map(later).collect()
}

/// Whether a chunk has ended longer ago than its store keeps it.
pub(super) fn has_expired(chunk: &ArchivedChunk, keep: Option<Interval>) -> bool {
    let is_time = chunk.until.parse::<i64>().is_err();
    let end = Moment::read(&chunk.until).filter(|_| is_time);
    let until = keep.and_then(|keep| before(Timestamp::now(), &keep));
    end.zip(until).is_some_and(|(end, until)| end.0 < until.as_microsecond())
}

/// Why nothing is to be put into the stores that a plan archives to: what the ledger knows to be there is not. A disk
/// that is not mounted looks like that, and what is put below where it is to be is out of sight once it is. What the plan
/// copies again is no reason, unless all is gone.
///
/// # Errors
/// When a store cannot be read.
pub fn lost(
    plan: &Plan,
    desired: &BTreeMap<Address, Desired>,
    server: &Server,
    known: &[ArchivedRecord],
) -> Result<Vec<Diagnostic>, Failure> {
    let own = of_database((&server.system_identifier, &server.database));
    let tasks = plan.actions.iter().flat_map(|action| &action.steps).filter_map(|step| step.task.as_ref());
    let mut wanted: BTreeMap<String, (Range, BTreeSet<String>)> = BTreeMap::new();
    for task in tasks.filter(|task| task.name == TASK) {
        // What cannot be read does not go on either.
        let Ok(range) = Range::read(task) else { continue };
        let names: Vec<String> = range.chunks.iter().map(|chunk| chunk.name.clone()).collect();
        wanted.entry(range.place.place()).or_insert_with(|| (range, BTreeSet::new())).1.extend(names);
    }
    let mut found = Vec::new();
    for (place, (range, again)) in wanted {
        let is_of_it = |chunk: &&ArchivedChunk| chunk.place == place && chunk.file.starts_with(&format!("{own}/"));
        let known: Vec<&ArchivedChunk> = known.iter().map(|record| &record.chunk).filter(is_of_it).collect();
        if known.is_empty() {
            continue;
        }
        let store = desired.get(&Address::global(archive_store::ID, &range.store));
        let keep = store.and_then(|store| store.get(KEEP)).and_then(Value::as_interval);
        let names = range.place.names(&own).map_err(|error| Failure::from(error.diagnostic(&place)))?;
        let is_there = |chunk: &&&ArchivedChunk| begins(&names, &chunk.file);
        let missed: Vec<&&ArchivedChunk> =
            known.iter().filter(|chunk| !is_there(chunk) && !has_expired(chunk, keep)).collect();
        let is_mended = missed.iter().all(|chunk| again.contains(&chunk.chunk)) && known.iter().any(|c| is_there(&c));
        if !missed.is_empty() && !is_mended {
            found.push(told(&place, &missed, store));
        }
    }
    Ok(found)
}

/// Whether any of some names begins so.
pub(super) fn begins(names: &BTreeSet<String>, beginning: &str) -> bool {
    names.range(beginning.to_owned()..).next().is_some_and(|name| name.starts_with(beginning))
}

fn told(place: &str, missed: &[&&ArchivedChunk], store: Option<&Desired>) -> Diagnostic {
    let named: Vec<String> = missed
        .iter()
        .take(NAMED)
        .map(|ArchivedChunk { table, from, until, .. }| format!("{table} from {from} to {until}"))
        .collect();
    let more = missed.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    let message =
        format!("by the ledger, these were archived in {place} and are not there: {}{more}", named.join("; "));
    let told = Diagnostic::error(&LOST, message)
        .why("where its disk is not mounted, what is archived now would be out of sight once it is, and is dropped from its table")
        .help(
            "mount it, or bring the files back from where the store is kept a second time. Where they are lost for good, move what \
             is left to another place and write that as the store's `location`: what is still in the table is archived there",
        );
    match store {
        Some(store) => told.at(&store.place),
        None => told,
    }
}

/// Whether a chunk has any of a span.
pub fn overlaps(chunk: &ArchivedChunk, span: &Span) -> bool {
    let raw = |text: &str, else_at: i64| Moment::read(text).map_or(else_at, |moment| moment.0);
    span.overlaps(raw(&chunk.from, i64::MIN), raw(&chunk.until, i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::QualifiedName;

    #[test]
    fn what_a_killed_run_did_the_store_tells() {
        let folder = tempfile::tempdir().unwrap();
        let path = Value::text(folder.path().to_string_lossy());
        let store = Store::of(|name| (name == "path").then_some(&path)).unwrap().unwrap();
        let chunk = |place: &str| ArchivedChunk {
            place: place.to_owned(),
            file: "1-shop/public.t/2026-01-01_2026-01-02_c_".to_owned(),
            table: QualifiedName::new("public", "t"),
            chunk: "c".to_owned(),
            from: "2026-01-01".to_owned(),
            until: "2026-01-02".to_owned(),
        };
        let name = "1-shop/public.t/2026-01-01_2026-01-02_c_ab.json";
        let stores = [store.clone()];
        let kept = [Archived::Kept(chunk(&store.place()))];
        let removed = [Archived::Removed { place: store.place(), file: name.to_owned() }];
        let told = || (has_happened(&kept, &stores), has_happened(&removed, &stores));
        assert_eq!(told(), (Some(false), Some(true)));
        std::fs::create_dir_all(folder.path().join("1-shop/public.t")).unwrap();
        std::fs::write(folder.path().join(name), "{}").unwrap();
        assert_eq!(told(), (Some(true), Some(false)));
        assert_eq!(has_happened(&[Archived::Kept(chunk("/elsewhere"))], &stores), None);
    }
}
