//! What is older than its store keeps it: found, and once that is allowed removed.
//!
//! Only of the database that is worked on: what others keep in the same folder is theirs to remove. What
//! cannot be read or trusted is never removed, and neither is a chunk whose time is a whole number, which has
//! no age.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::apply::Interrupt;
use crate::core::{Address, Desired, Interval, Live, Server, Task, Value};
use crate::diag::Failure;
use crate::kinds::archive::{self, IsMissed, Kept};
use crate::kinds::archive_store::{BYTES, EXPIRES, HELD, ID, KEEP, NEWEST, OLDEST, STATE, UNSEEN};
use crate::ledger::ArchivedRecord;
use crate::ops::archive::Manifest;
use crate::ops::archive::manifest::Bound;
use crate::ops::archiver::held::{self, Held};
use crate::ops::archiver::known::has_expired;
use crate::ops::archiver::replaced::{self, Others};
use crate::ops::archiver::store::{Store, of_database, shelf_of};
use crate::ops::archiver::trouble::StoreError;
use crate::ops::archiver::{Contents, Entry, Moment, Stopped, contents_of};

/// The archives of the tables whose chunks bear the marks of copies, as the stores have those: a copy that is not there
/// is to be made again.
///
/// # Errors
/// When a store cannot be read.
pub fn look_for_copies(
    server: &Server,
    desired: &BTreeMap<Address, Desired>,
    inside: &BTreeMap<Address, Live>,
) -> Result<Vec<Live>, Failure> {
    let mut found = Vec::new();
    for wanted in desired.values().filter(|desired| desired.address.kind == archive::ID) {
        let (Some(live), Some(on)) = (inside.get(&wanted.address), &wanted.on) else { continue };
        // A plan that is carried out has what it needs of the store in the resource itself.
        let Some(whole) = archive::whole(wanted, desired) else { continue };
        let unreadable = |place: &str, error: StoreError| error.diagnostic(place).at(&whole.place);
        let look = || -> Result<IsMissed, Failure> {
            let named = || whole.get(archive::TO).and_then(Value::as_text).unwrap_or_default();
            let store = Store::of(|name| whole.get(name));
            let store = store.map_err(|error| unreadable(&format!("`{}`", named()), error))?;
            let Some(store) = store else { return Ok(Box::new(|_| false)) };
            let own = shelf_of((&server.system_identifier, &server.database), on);
            let contents = contents_of(&store, &own).map_err(|error| unreadable(&store.place(), error))?;
            Ok(Box::new(move |kept| !contents.entries.iter().any(|entry| is_of(&entry.manifest, kept))))
        };
        found.extend(archive::looked_up(live, wanted, look)?);
    }
    Ok(found)
}

/// Whether a manifest is that of the copy whose mark a chunk bears.
fn is_of(manifest: &Manifest, kept: &Kept<'_>) -> bool {
    let ends = manifest.range.as_ref().map(|range| (range.start.text.as_str(), range.end.text.as_str()));
    let is_same = manifest.chunk == *kept.name && ends == Some(kept.range);
    is_same && kept.token.is_none_or(|token| token == manifest.token)
}

/// What the stores of the policies hold that is older than it is kept. Where nothing may be removed, their
/// standing is as wanted, and what has expired is told beside it. `known` is what the ledger knows to be in archives.
///
/// # Errors
/// When a store cannot be read.
pub fn look(
    server: &Server,
    desired: &BTreeMap<Address, Desired>,
    known: &[ArchivedRecord],
    may_delete: bool,
) -> Result<Vec<Live>, Failure> {
    let (own, now) = (of_database((&server.system_identifier, &server.database)), now(server.now_micros));
    let mut looked = Vec::new();
    for desired in desired.values().filter(|desired| desired.address.kind == ID && keep(desired).is_some()) {
        looked.extend(opened(desired, &own)?);
    }
    let has_any = |(desired, _, contents): &(&Desired, Store, Contents)| {
        keep(desired).is_some_and(|keep| !expired(contents, keep, now, &|_| false).is_empty())
    };
    // What is kept for ever is asked only where something else is to go.
    if looked.iter().any(has_any) {
        for desired in desired.values().filter(|desired| desired.address.kind == ID && keep(desired).is_none()) {
            match opened(desired, &own) {
                Err(failure) if may_delete => return Err(failure),
                opened => looked.extend(opened.ok().flatten()),
            }
        }
    }
    let unseen = unseen(known, &looked, &own);
    let mut found = Vec::new();
    for (at, (desired, _, contents)) in looked.iter().enumerate() {
        let Some(keep) = keep(desired) else { continue };
        let others = looked.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, (.., contents))| contents);
        let all = || looked.iter().map(|(.., contents)| contents);
        let held = Held {
            beside: Others::of(others.flat_map(|contents| &contents.entries)),
            seen: Others::of(all().flat_map(|contents| &contents.entries)),
            unread: held::unread(all()),
            unseen: unseen.clone(),
            ..Held::before(desired, &own)
        };
        let old = expired(contents, keep, now, &|_| false);
        let gone = expired(contents, keep, now, &|entry| held.has(entry));
        let mut live = live(desired, &own, &gone, may_delete);
        let stays: Vec<&Entry> = old.into_iter().filter(|entry| held.has(entry)).collect();
        if !stays.is_empty() && desired.get(HELD).is_none() {
            live.set(HELD, Value::texts(stays.iter().filter_map(|entry| below(&entry.name, &own))));
        }
        let places = stays.iter().filter_map(|entry| Some(held.unseen_behind(entry)?.chunk.place.clone()));
        let places: BTreeSet<String> = places.collect();
        if !places.is_empty() {
            live.set_fact(UNSEEN, Value::texts(places));
        }
        found.push(live);
    }
    Ok(found)
}

fn keep(desired: &Desired) -> Option<&Interval> {
    match desired.get(KEEP) {
        Some(Value::Interval(keep)) => Some(keep),
        _ => None,
    }
}

/// A store, and what is in it of a database.
fn opened<'a>(desired: &'a Desired, own: &str) -> Result<Option<(&'a Desired, Store, Contents)>, Failure> {
    let unreadable = |place: &str, error: StoreError| error.diagnostic(place).at(&desired.place);
    let store = Store::of(|name| desired.get(name))
        .map_err(|error| unreadable(&format!("`{}`", desired.address.name), error))?;
    let Some(store) = store else { return Ok(None) };
    let contents = contents_of(&store, own).map_err(|error| unreadable(&store.place(), error))?;
    Ok(Some((desired, store, contents)))
}

/// What the ledger knows to be in archives of a database, where nobody can look at it, or it is not. What has expired
/// may have been removed from another machine.
fn unseen<'a>(
    known: &'a [ArchivedRecord],
    looked: &[(&Desired, Store, Contents)],
    own: &str,
) -> Vec<&'a ArchivedRecord> {
    let is_seen = |record: &ArchivedRecord| {
        let mut of_it = looked.iter().filter(|(_, store, _)| store.place() == record.chunk.place);
        of_it.any(|(desired, _, contents)| {
            contents.has(&record.chunk.file) || has_expired(&record.chunk, keep(desired).copied())
        })
    };
    known.iter().filter(|record| record.chunk.file.starts_with(&format!("{own}/")) && !is_seen(record)).collect()
}

/// A name without the database's part of a store, that it is in.
fn below(name: &str, own: &str) -> Option<String> {
    Some(name.strip_prefix(own)?.strip_prefix('/')?.to_owned())
}

fn live(desired: &Desired, own: &str, expired: &[&Entry], may_delete: bool) -> Live {
    let mut live = Live::new(desired.address.clone(), None);
    live.system = true;
    live.attributes = desired.attributes.clone();
    let bound = |entry: Option<&&Entry>, which: fn(&Entry) -> Option<&Bound>| {
        entry.and_then(|entry| which(entry)).map(|bound| bound.text.clone())
    };
    let by = |which: fn(&Entry) -> Option<&Bound>| move |entry: &&&Entry| which(entry).map(|bound| bound.raw);
    let (start, end) = (start as fn(&Entry) -> Option<&Bound>, end as fn(&Entry) -> Option<&Bound>);
    let Some(newest) = bound(expired.iter().max_by_key(by(end)), end) else { return live };
    live.set_fact(EXPIRES, Value::texts(expired.iter().filter_map(|entry| below(&entry.name, own))));
    let bytes: u64 = expired.iter().map(|entry| entry.manifest.file.bytes).sum();
    live.set_fact(BYTES, Value::Int(i64::try_from(bytes).unwrap_or(i64::MAX)));
    if let Some(oldest) = bound(expired.iter().min_by_key(by(start)), start) {
        live.set_fact(OLDEST, Value::text(oldest));
    }
    if may_delete {
        let chunks = if expired.len() == 1 { "1 chunk".to_owned() } else { format!("{} chunks", expired.len()) };
        live.set(STATE, Value::text(format!("{chunks} up to {newest} expired")));
    }
    live.set_fact(NEWEST, Value::text(newest));
    live
}

fn start(entry: &Entry) -> Option<&Bound> {
    entry.manifest.range.as_ref().map(|range| &range.start)
}

fn end(entry: &Entry) -> Option<&Bound> {
    entry.manifest.range.as_ref().map(|range| &range.end)
}

/// The earlier of two clocks: a machine whose own is wrong must not take anything for older than it is.
fn now(server: i64) -> Timestamp {
    let own = Timestamp::now();
    Timestamp::from_microsecond(server).map_or(own, |server| server.min(own))
}

/// What ended longer ago than it is kept, in the order of the contents, without what stays. What stands in for a copy
/// that is not to go stays with it: without it, that would count again.
fn expired<'a>(
    contents: &'a Contents,
    keep: &Interval,
    now: Timestamp,
    stays: &dyn Fn(&Entry) -> bool,
) -> Vec<&'a Entry> {
    let Some(until) = before(now, keep) else { return Vec::new() };
    let is_time = |bound: &&Bound| bound.text.parse::<i64>().is_err() && Moment::read(&bound.text).is_some();
    let is_old = |entry: &&Entry| end(entry).filter(is_time).is_some_and(|end| end.raw < until.as_microsecond());
    let mut gone: Vec<&Entry> = contents.entries.iter().filter(is_old).filter(|entry| !stays(entry)).collect();
    loop {
        let names: BTreeSet<&String> = gone.iter().map(|entry| &entry.name).collect();
        let staying = Others::of(contents.entries.iter().filter(|entry| !names.contains(&entry.name)));
        let before = gone.len();
        gone.retain(|entry| !staying.hidden_by(entry));
        if gone.len() == before {
            return gone;
        }
    }
}

/// A moment so long before another, by the calendar in UTC; `None` where there is no such moment.
pub(super) fn before(now: Timestamp, keep: &Interval) -> Option<Timestamp> {
    let span =
        Span::new().try_months(keep.months).ok()?.try_days(keep.days).ok()?.try_microseconds(keep.micros).ok()?;
    let at: DateTime = TimeZone::UTC.to_datetime(now).checked_sub(span).ok()?;
    TimeZone::UTC.to_timestamp(at).ok()
}

/// Removes what a plan lists, as far as it has expired still.
///
/// # Errors
/// What stopped it; the rest is there still.
pub fn expire(task: &Task, server: &Server, interrupt: &Interrupt, tell: &mut dyn FnMut(&str)) -> Result<(), Stopped> {
    let text = |name: &str| task.arguments.get(name).and_then(Value::as_text);
    let store = Store::of(|name| task.arguments.get(name))?;
    let (Some(store), Some(Value::Interval(keep))) = (store, task.arguments.get(KEEP)) else {
        return Err(Stopped::Refused("the plan's work names no store".to_owned()));
    };
    if (text("cluster"), text("database")) != (Some(&server.system_identifier), Some(&server.database)) {
        return Err(Stopped::Refused("the plan's work is of another database".to_owned()));
    }
    let planned = task.arguments.get(EXPIRES).map(Value::as_list).unwrap_or_default();
    let own = of_database((&server.system_identifier, &server.database));
    let planned: BTreeSet<String> =
        planned.iter().filter_map(Value::as_text).map(|name| format!("{own}/{name}")).collect();
    let contents = contents_of(&store, &own)?;
    let stays = |entry: &Entry| !planned.contains(&entry.name);
    for entry in replaced::in_order(expired(&contents, keep, now(server.now_micros), &stays)) {
        if interrupt.is_requested() {
            return Err(Stopped::Interrupted);
        }
        tell(&format!("removing {}", entry.manifest.chunk));
        remove(entry)?;
    }
    Ok(())
}

/// Removes a chunk's files. The manifest goes first, so that none is ever without what it is of: what is then
/// left behind is nothing, and is named.
fn remove(entry: &Entry) -> Result<(), Stopped> {
    let name = Path::new(&entry.manifest.file.name);
    if name.file_name() != Some(name.as_os_str()) {
        let why = format!("{} names a file that is not beside it: {}", entry.store.shown(&entry.name), name.display());
        return Err(Stopped::Refused(why));
    }
    entry.store.remove(&entry.name)?;
    entry.store.remove(&entry.data()).map_err(|error| {
        let file = entry.file();
        Stopped::Refused(format!("{file} has expired and counts for nothing any more, and cannot be removed: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_ago_is_counted_by_the_calendar() {
        let now: Timestamp = "2026-03-31T12:00:00Z".parse().unwrap();
        let at = |keep: &str| before(now, &Interval::parse(keep).unwrap()).unwrap().to_string();
        assert_eq!(at("7 years"), "2019-03-31T12:00:00Z");
        assert_eq!(at("1 month"), "2026-02-28T12:00:00Z", "there is no 31st");
        assert_eq!(at("1 day 12 hours"), "2026-03-30T00:00:00Z");
    }

    #[test]
    fn a_clock_that_is_ahead_does_not_count() {
        let own = Timestamp::now();
        assert!(now(own.as_microsecond() + 86_400_000_000) <= Timestamp::now());
        assert_eq!(now(0), Timestamp::UNIX_EPOCH);
    }
}
