//! What is due: a policy, a repository and a moment.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::core::{Desired, Interval, Value};
use crate::kinds::backup::schedule::Schedule;
use crate::kinds::backup::{EVERY, FULL, INCREMENTAL, KEEP_FULL, KEEP_WAL, WAL, work};
use crate::ops::backup::clocks::Clocks;
use crate::ops::backup::record::{Backup, Contents, Damaged, Sort};

/// Why something is to be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Due {
    /// In words, by moments and not by how long ago they are, so that it stays the same until something
    /// else is due.
    pub why: String,
    /// Which sort of backup.
    pub sort: Option<Sort>,
    /// The backups that are to go.
    pub expires: Vec<String>,
}

/// What is due of one piece of work; nothing where it is on schedule.
pub fn due(desired: &Desired, contents: &Contents, clocks: Clocks) -> Option<Due> {
    let (contents, now) = (&clocks.come(contents), clocks.now());
    match desired.address.name.as_str() {
        work::BACKUP => backup(desired, contents, now),
        work::VERIFY => again(desired, contents, contents.verified, "everything was read again last", now),
        work::DRILL => drill(desired, contents, now),
        work::EXPIRE => expire(desired, contents, clocks.earlier()),
        _ => None,
    }
}

fn said(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

fn schedule(desired: &Desired, name: &str) -> Option<Schedule> {
    Schedule::read(desired.get(name)?.as_text()?).ok()
}

/// A backup is due where none of its sort, or of a greater one, was begun since the last moment of its
/// schedule. A moment that was missed is made up for once, however many were missed.
fn backup(desired: &Desired, contents: &Contents, now: Timestamp) -> Option<Due> {
    // Where WAL is archived, one that has its own is good for its own end only.
    let archives = desired.get(WAL) == Some(&Value::Bool(true));
    let counts = |record: &&Backup| !(archives && record.has_wal);
    let last = |sorts: &[Sort]| {
        let of_use = contents.own().filter(counts).filter(|record| sorts.contains(&record.sort));
        of_use.map(|record| record.started).max()
    };
    let due = |sort: Sort, why: String| Some(Due { why, sort: Some(sort), expires: Vec::new() });
    let full = last(&[Sort::Full]);
    if full.is_none() {
        let why = match (&contents.history, contents.backups.is_empty()) {
            _ if contents.own().any(|record| !counts(&record)) => {
                "no full backup that archived WAL goes on from yet".to_owned()
            }
            (Some(history), false) => format!("no full backup of the past of timeline {} yet", history.newest),
            _ => "no full backup yet".to_owned(),
        };
        return due(Sort::Full, why);
    }
    if let Some(segment) = contents.broken.as_ref().filter(|_| archives) {
        let why = format!("WAL {segment} is missing, and nothing from before goes on past it");
        return due(Sort::Full, why);
    }
    if let Some(since) = schedule(desired, FULL)?.last(now)
        && full.is_some_and(|full| full < since)
    {
        return due(Sort::Full, format!("full due {}, last one {}", said(Some(since)), said(full)));
    }
    let any = last(&[Sort::Full, Sort::Incremental]);
    let since = schedule(desired, INCREMENTAL)?.last(now)?;
    if any.is_some_and(|any| any < since) {
        return due(Sort::Incremental, format!("incremental due {}, last one {}", said(Some(since)), said(any)));
    }
    None
}

/// A drill is due so often, and at once where the last one failed, however long ago one has passed: what it found
/// may be mended by now, and as long as it is not, nobody knows that the server can be brought back.
fn drill(desired: &Desired, contents: &Contents, now: Timestamp) -> Option<Due> {
    let passed = contents.drills.iter().filter(|drill| drill.is_passed()).map(|drill| drill.started).max();
    let due = again(desired, contents, passed, "a drill passed last", now);
    let last = contents.drills.iter().max_by_key(|drill| drill.started);
    let failed = last.filter(|last| !last.is_passed() && desired.get(EVERY).is_some());
    match failed.zip(contents.backups.first()) {
        Some((failed, _)) => {
            let why = format!("the last drill, {}, failed", said(Some(failed.started)));
            Some(Due { why, sort: None, expires: Vec::new() })
        }
        None => due,
    }
}

/// What is to be done so often, of a repository that has a backup.
fn again(desired: &Desired, contents: &Contents, last: Option<Timestamp>, words: &str, now: Timestamp) -> Option<Due> {
    let first = contents.backups.first()?;
    let every = duration(desired.get(EVERY)?.as_interval()?)?;
    // The first time it is due as soon as there is something to do it with.
    let since = match last {
        Some(last) => last.checked_add(every).ok()?,
        None => first.stopped,
    };
    let why = format!("due {}; {words}: {}", said(Some(since)), said(last));
    (since <= now).then(|| Due { why, sort: None, expires: Vec::new() })
}

/// An interval as a length of time; months are taken to be of 30 days.
pub fn duration(interval: Interval) -> Option<SignedDuration> {
    i64::try_from(interval.approximate_micros()).ok().map(SignedDuration::from_micros)
}

/// How long it can be at most by the calendar: what is kept for a month is kept for 31 days.
fn longest(interval: Interval) -> Option<SignedDuration> {
    i64::try_from(interval.longest_micros()).ok().map(SignedDuration::from_micros)
}

/// What a policy keeps.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Keep {
    /// How many full backups.
    pub full: usize,
    /// To how far back the server can be brought.
    pub window: Option<SignedDuration>,
}

impl Keep {
    /// From what a resource or a plan's work says, by name.
    pub fn read<'a>(said: impl Fn(&str) -> Option<&'a Value>) -> Option<Self> {
        let full = said(KEEP_FULL).and_then(Value::as_int).and_then(|keep| usize::try_from(keep).ok())?;
        let window = match said(KEEP_WAL) {
            Some(value) => Some(longest(value.as_interval()?)?),
            None => None,
        };
        Some(Self { full, window })
    }
}

/// The backups that nobody needs any more: those before the oldest full one that is still needed, be it
/// for the number that is kept or for the span of time that the server can be brought back in. Those of a past
/// that the server has left count for neither, and nor do those that are damaged: they go with those that are as old.
pub fn expired(keep: Keep, contents: &Contents, now: Timestamp) -> Vec<&Backup> {
    let full: Vec<&Backup> = contents.own().filter(|record| record.sort == Sort::Full).collect();
    let Some(by_number) = full.len().checked_sub(keep.full.max(1)) else { return Vec::new() };
    let mut oldest = full.get(by_number).map(|record| record.started);
    if let Some(window) = keep.window {
        let Ok(from) = now.checked_sub(window) else { return Vec::new() };
        // To go back to a moment takes a backup that was done before it, and archived WAL after it.
        let archived: Vec<&Backup> = full.iter().copied().filter(|record| !record.has_wal).collect();
        let full = if archived.is_empty() { full } else { archived };
        let by_time = full.iter().rfind(|record| record.ended <= from).or(full.first()).map(|record| record.started);
        oldest = oldest.min(by_time);
    }
    let Some(oldest) = oldest else { return Vec::new() };
    let all = contents.backups.iter().chain(contents.suspects());
    let mut expired: Vec<&Backup> = all.filter(|record| record.started < oldest).collect();
    expired.sort_by(|a, b| a.started.cmp(&b.started).then_with(|| a.label.cmp(&b.label)));
    expired
}

/// What keeps backups from being taken away: whatever is damaged and does not go with them. It may be what others
/// need.
pub fn obstacle<'a>(contents: &'a Contents, expired: &[&Backup]) -> Option<&'a Damaged> {
    let goes = |backup: &Backup| expired.iter().any(|expired| expired.label == backup.label);
    contents.damaged.iter().find(|damaged| !damaged.backup.as_ref().is_some_and(goes))
}

fn expire(desired: &Desired, contents: &Contents, now: Timestamp) -> Option<Due> {
    let keep = Keep::read(|name| desired.get(name))?;
    let expired = expired(keep, contents, now);
    if obstacle(contents, &expired).is_some() {
        return None;
    }
    let labels: Vec<String> = expired.into_iter().map(|record| record.label.clone()).collect();
    let several = if labels.len() == 1 { "backup is" } else { "backups are" };
    (!labels.is_empty()).then(|| Due {
        why: format!("{} {several} no longer needed: {}", labels.len(), labels.join(", ")),
        sort: None,
        expires: labels,
    })
}

/// The chain of backups that a backup is restored from, the full one first; nothing where one is missing.
pub fn chain<'a>(contents: &'a Contents, label: &str) -> Option<Vec<&'a Backup>> {
    let by_label: BTreeMap<&str, &Backup> = contents.backups.iter().map(|r| (r.label.as_str(), r)).collect();
    let mut chain = vec![*by_label.get(label)?];
    while let Some(prior) = chain.last().and_then(|record| record.prior.as_deref()) {
        // A chain that comes back to itself is damaged, however that came to be.
        if chain.len() > by_label.len() {
            return None;
        }
        chain.push(by_label.get(prior)?);
    }
    chain.reverse();
    Some(chain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Address, Place};
    use crate::kinds::backup::ID;
    use crate::ops::backup::record::{Check, Drill, WalRange, drill_at, sample};
    use crate::ops::backup::timeline::History;
    use crate::ops::backup::wal::Lsn;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn due(desired: &Desired, contents: &Contents, now: Timestamp) -> Option<Due> {
        super::due(desired, contents, Clocks::at(now, now))
    }

    fn wanted(work: &str, said: &[(&str, Value)]) -> Desired {
        let address = Address { kind: ID, schema: Some("main".to_owned()), name: work.to_owned() };
        let place = Place { file: "p.yaml".into(), line: 1, column: 1, start: 0, end: 0, via: None };
        let mut desired = Desired::new(address, None, place);
        for (name, value) in said {
            desired.set(name, value.clone());
        }
        desired
    }

    fn record(sort: Sort, started: &str, prior: Option<&str>) -> Backup {
        Backup {
            sort,
            prior: prior.map(str::to_owned),
            started: at(started),
            stopped: at(started),
            ended: at(started),
            ..sample(&format!("{started}-{}", sort.as_str()))
        }
    }

    fn of(backups: Vec<Backup>) -> Contents {
        Contents { backups, ..Contents::default() }
    }

    #[test]
    fn a_missed_moment_is_made_up_for_once() {
        let desired =
            wanted(work::BACKUP, &[(FULL, Value::text("0 1 * * 0")), (INCREMENTAL, Value::text("0 1 * * 1-6"))]);
        // A Thursday, at noon.
        let now = at("2026-11-26T12:00:00Z");
        let sort = |contents: &Contents| due(&desired, contents, now).and_then(|due| due.sort);
        assert_eq!(sort(&of(Vec::new())), Some(Sort::Full), "there is none yet");
        let old = record(Sort::Full, "2026-11-08T01:00:10Z", None);
        assert_eq!(sort(&of(vec![old.clone()])), Some(Sort::Full), "two Sundays were missed");
        let sunday = record(Sort::Full, "2026-11-22T01:00:10Z", None);
        assert_eq!(sort(&of(vec![old.clone(), sunday.clone()])), Some(Sort::Incremental));
        let today = record(Sort::Incremental, "2026-11-26T01:00:00Z", Some(&sunday.label));
        assert_eq!(sort(&of(vec![old.clone(), sunday, today])), None);
        // A full one is more than the incremental one that was due.
        let late = record(Sort::Full, "2026-11-26T09:00:00Z", None);
        assert_eq!(sort(&of(vec![old, late])), None);
        // The reason stays the same until something else is due, so that a plan does not go stale.
        let why = |now: &str| {
            due(&desired, &of(vec![record(Sort::Full, "2026-11-08T01:00:10Z", None)]), at(now)).unwrap().why
        };
        assert_eq!(why("2026-11-26T12:00:00Z"), why("2026-11-26T23:00:00Z"));
    }

    #[test]
    fn where_wal_is_archived_a_backup_with_its_own_is_not_enough() {
        let desired =
            |archives: bool| wanted(work::BACKUP, &[(FULL, Value::text("0 1 * * 0")), (WAL, Value::Bool(archives))]);
        let now = at("2026-11-26T12:00:00Z");
        let alone = Backup { has_wal: true, ..record(Sort::Full, "2026-11-25T01:00:00Z", None) };
        assert_eq!(due(&desired(false), &of(vec![alone.clone()]), now), None);
        let found = due(&desired(true), &of(vec![alone.clone()]), now).unwrap();
        assert_eq!((found.sort, found.why.contains("archived WAL")), (Some(Sort::Full), true));
        let with = record(Sort::Full, "2026-11-25T02:00:00Z", None);
        assert_eq!(due(&desired(true), &of(vec![alone, with]), now), None);
    }

    #[test]
    fn where_wal_is_missing_since_a_backup_another_is_due() {
        let desired =
            |archives: bool| wanted(work::BACKUP, &[(FULL, Value::text("0 1 * * 0")), (WAL, Value::Bool(archives))]);
        let now = at("2026-11-26T12:00:00Z");
        let whole = of(vec![record(Sort::Full, "2026-11-25T01:00:00Z", None)]);
        assert_eq!(due(&desired(true), &whole, now), None);
        let broken = Contents { broken: Some("00000001000000000000000B".to_owned()), ..whole };
        let found = due(&desired(true), &broken, now).unwrap();
        assert!(
            found.sort == Some(Sort::Full) && found.why.contains("00000001000000000000000B is missing"),
            "{found:?}"
        );
        assert_eq!(due(&desired(false), &broken, now), None);
    }

    #[test]
    fn drills_count_once_they_have_passed() {
        let desired = wanted(work::DRILL, &[(EVERY, Value::Interval(Interval::days(7)))]);
        let mut contents = of(Vec::new());
        let now = at("2026-11-26T12:00:00Z");
        assert_eq!(due(&desired, &contents, now), None, "there is nothing to do it with");
        contents.backups.push(record(Sort::Full, "2026-11-01T00:00:00Z", None));
        assert!(due(&desired, &contents, now).is_some());
        let drill = |started: &str, fine: bool| Drill {
            checks: vec![Check { what: String::new(), found: String::new(), fine }],
            ..drill_at(at(started))
        };
        contents.drills.push(drill("2026-11-25T00:00:00Z", false));
        assert!(due(&desired, &contents, now).is_some(), "one that failed is no drill");
        contents.drills.push(drill("2026-11-20T00:00:00Z", true));
        let why = |contents: &Contents| due(&desired, contents, now).map(|due| due.why);
        let failed = "the last drill, 2026-11-25 00:00 UTC, failed";
        assert_eq!(why(&contents).as_deref(), Some(failed), "one has passed, before that");
        contents.drills.push(drill("2026-11-26T00:00:00Z", true));
        assert_eq!(why(&contents), None);
        contents.drills = vec![drill("2026-11-20T00:00:00Z", true)];
        assert!(due(&desired, &contents, at("2026-11-27T00:00:00Z")).is_some());
        // Nobody says how often.
        assert_eq!(due(&wanted(work::DRILL, &[]), &contents, at("2030-01-01T00:00:00Z")), None);
    }

    #[test]
    fn what_is_needed_to_go_back_is_kept() {
        let days = ["01", "08", "15", "22"];
        let full: Vec<Backup> =
            days.iter().map(|day| record(Sort::Full, &format!("2026-11-{day}T01:00:00Z"), None)).collect();
        let mut backups = full.clone();
        backups.insert(1, record(Sort::Incremental, "2026-11-02T01:00:00Z", Some(&full[0].label)));
        let contents = of(backups);
        let now = at("2026-11-26T12:00:00Z");
        let gone = |full: usize, window: Option<i64>| {
            let keep = Keep { full, window: window.map(|days| SignedDuration::from_hours(24 * days)) };
            expired(keep, &contents, now).iter().map(|record| record.label[8..10].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(gone(2, None), ["01", "02", "08"]);
        assert_eq!(gone(4, None), Vec::<String>::new());
        assert_eq!(gone(9, None), Vec::<String>::new());
        assert_eq!(gone(0, None), ["01", "02", "08", "15"], "the last one never goes");
        // Fourteen days ago was the 12th, and to go back to that takes the backup of the 8th.
        assert_eq!(gone(1, Some(14)), ["01", "02"]);
        assert_eq!(gone(3, Some(1)), ["01", "02"]);
        assert_eq!(gone(1, Some(400)), Vec::<String>::new());
        // A month is not up after 30 days: what is kept for it is kept for the longest that it can be.
        let (one, month) = (Value::Int(1), Value::Interval(Interval::parse("1 month").unwrap()));
        let kept = Keep::read(|name| match name {
            KEEP_FULL => Some(&one),
            _ => Some(&month),
        });
        assert_eq!(kept.and_then(|keep| keep.window), Some(SignedDuration::from_hours(24 * 31)));
        // What cannot be read may be what another needs.
        let mut damaged = contents.clone();
        damaged.damaged.push(Damaged::other("x", "y".to_owned()));
        let desired = wanted(work::EXPIRE, &[(KEEP_FULL, Value::Int(1))]);
        assert!(due(&desired, &contents, now).is_some());
        assert_eq!(due(&desired, &damaged, now), None);
        // What is damaged and as old as what goes, goes with it; it counts for none that is kept.
        let damaged = |which: usize| {
            let mut contents = contents.clone();
            let backup = contents.backups.remove(contents.backups.iter().position(|b| *b == full[which]).unwrap());
            contents.damaged.push(Damaged::backup(backup, "y".to_owned()));
            due(&desired, &contents, now).map(|due| due.expires)
        };
        let all = ["01T01:00:00Z-full", "02T01:00:00Z-incremental", "08T01:00:00Z-full", "15T01:00:00Z-full"];
        let all: Vec<String> = all.iter().map(|end| format!("2026-11-{end}")).collect();
        assert_eq!(damaged(1), Some(all));
        assert_eq!(damaged(3), None, "the newest");
    }

    #[test]
    fn a_chain_goes_back_to_its_full_backup() {
        let full = record(Sort::Full, "2026-11-01T00:00:00Z", None);
        let one = record(Sort::Incremental, "2026-11-02T00:00:00Z", Some(&full.label));
        let two = record(Sort::Incremental, "2026-11-03T00:00:00Z", Some(&one.label));
        let all = of(vec![full.clone(), one.clone(), two.clone()]);
        let labels = |chain: Vec<&Backup>| chain.iter().map(|record| record.label.clone()).collect::<Vec<_>>();
        assert_eq!(labels(chain(&all, &two.label).unwrap()), [&*full.label, &one.label, &two.label]);
        assert_eq!(labels(chain(&all, &full.label).unwrap()), [&*full.label]);
        assert_eq!(chain(&of(vec![one.clone(), two.clone()]), &two.label), None);
        assert_eq!(chain(&all, "none"), None);
        let circle = Backup { prior: Some(two.label.clone()), ..one };
        assert_eq!(chain(&of(vec![circle, two.clone()]), &two.label), None);
    }

    #[test]
    fn what_the_server_has_left_behind_counts_for_nothing() {
        let on = |timeline: u32, until: u64, record: Backup| Backup {
            wal: vec![WalRange { timeline, from: Lsn(1), until: Lsn(until) }],
            ..record
        };
        let first = on(1, 100, record(Sort::Full, "2026-11-01T01:00:00Z", None));
        let left = on(1, 300, record(Sort::Full, "2026-11-08T01:00:00Z", None));
        let later = on(2, 250, record(Sort::Full, "2026-11-15T01:00:00Z", None));
        let history = History::read(2, "1 0/C8 because").ok();
        let contents = Contents { history, ..of(vec![first.clone(), left, later]) };
        let now = at("2026-11-16T00:00:00Z");
        let labels = |full, window| {
            let keep = Keep { full, window };
            expired(keep, &contents, now).into_iter().map(|record| record.label.clone()).collect::<Vec<_>>()
        };
        // Two are kept that can be gone back to; what was left behind stays as long as the older one does.
        assert!(labels(2, None).is_empty());
        assert_eq!(labels(1, None), ["2026-11-01T01:00:00Z-full", "2026-11-08T01:00:00Z-full"]);
        // Nor is it what a moment in the window is gone back to from.
        assert!(labels(1, Some(SignedDuration::from_hours(24 * 5))).is_empty());
        // Where all have been left behind, a full one is due at once.
        let weekly = wanted(work::BACKUP, &[(FULL, Value::Text("0 1 * * 0".to_owned()))]);
        let history = History::read(2, "1 0/10 because").ok();
        let due = backup(&weekly, &Contents { history, ..of(vec![first]) }, at("2026-11-01T02:00:00Z")).unwrap();
        assert_eq!(due.sort, Some(Sort::Full));
        assert!(due.why.contains("timeline 2"), "{}", due.why);
    }
}
