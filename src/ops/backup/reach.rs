//! Whether a server that recovers can come to the moment that it is told.
//!
//! It stops at the first transaction that ended after that moment. Where there is none in the WAL that is there, it
//! does not start ("recovery ended before configured recovery target was reached"), and that is better known before
//! its files are brought back.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::ops::backup::Trouble;
use crate::ops::backup::engine::Engine;
use crate::ops::backup::programs::Programs;
use crate::ops::backup::record::Backup;
use crate::ops::backup::restore::{Order, Target};
use crate::ops::backup::wal::Lsn;
use crate::ops::backup::way::{self, Hole, Way};

/// In so many of the newest segments is looked for the end of a transaction.
const LOOKED_AT: usize = 16;

/// The last transaction that ended before some place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct End {
    /// When.
    at: Timestamp,
    /// Where: a server that recovers to that place has it.
    place: Lsn,
}

const ALL: &str = "leave --time and --lsn out: the server is then recovered as far as there is WAL";

fn refuse(message: String, help: String) -> Result<(), Trouble> {
    Err(Trouble::Refused { message, help })
}

/// Refuses what lies beyond all WAL that is there, or beyond WAL that is missing, as far as that can be told.
///
/// # Errors
/// What is not there.
pub fn reachable(order: &Order<'_>, record: &Backup) -> Result<(), Trouble> {
    if let Target::Time(time) = &order.target
        && *time > Timestamp::now()
    {
        return refuse(format!("{time} is in the future"), ALL.to_owned());
    }
    // To the end of the backup there is all, and a restore point the server itself does not start without.
    if record.has_wal || matches!(order.target, Target::Backup | Target::Point(_)) {
        return Ok(());
    }
    let Some(way) = way::of(order.contents, record, &order.engine.wal()?) else { return Ok(()) };
    match way.hole {
        Some(hole) => before(order, record, &way, hole),
        None => within(order, record, &way),
    }
}

/// Nothing hides any WAL.
fn within(order: &Order<'_>, record: &Backup, way: &Way) -> Result<(), Trouble> {
    let size = record.segment_bytes;
    match &order.target {
        Target::Time(time) => match last_end(order, record, way) {
            Some(End { at: last, .. }) if last <= *time => refuse(
                format!("nothing was committed after {time} in the WAL that is there: the last commit is of {last}"),
                format!(
                    "{ALL}, and has all that was committed until then. If the server runs and has committed more since, its \
                     newest WAL is not archived yet: `SELECT pg_switch_wal()` there, and do the same again"
                ),
            ),
            _ => Ok(()),
        },
        Target::Place(lsn) => match way.segments.last().map(|newest| Lsn((newest.number + 1).saturating_mul(size))) {
            Some(end) if *lsn > end => {
                let message = format!("WAL {lsn} is not in the repository, whose newest ends before {end}");
                refuse(message, ALL.to_owned())
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// A server does not come past WAL that is missing: it takes it for the end of all, and goes on from there without a
/// word.
fn before(order: &Order<'_>, record: &Backup, way: &Way, hole: Hole) -> Result<(), Trouble> {
    let size = record.segment_bytes;
    let last = match &order.target {
        Target::Place(lsn) if *lsn <= hole.place(size) => return Ok(()),
        Target::Place(_) => last_end(order, record, way),
        Target::Time(time) => match last_end(order, record, way) {
            // Where nothing was committed after it before the hole, the server does not start, and says so.
            Some(last) if last.at > *time => return Ok(()),
            None => return Ok(()),
            last => last,
        },
        _ => last_end(order, record, way),
    };
    let missing = hole.first.name(size);
    let more = match hole.count {
        1 => "is".to_owned(),
        count => format!("and {} more after it are", count - 1),
    };
    let message = format!(
        "WAL {missing} {more} missing from the repository: a server that recovers ends before it, and what was committed \
         after it does not come back"
    );
    let ended = record.wal.iter().map(|range| range.until).max();
    let help = match last.filter(|last| ended.is_none_or(|ended| last.place >= ended)) {
        Some(End { at, place }) => format!(
            "`--lsn {place}` brings the server back with all that was committed before that, the last of it {at}; `--time` \
             takes it to any moment before"
        ),
        None => "`--no-wal` brings the server back to the end of the backup".to_owned(),
    };
    refuse(message, format!("{help}. `chronoform backup verify` tells all that is missing"))
}

/// The last transaction that ended on a way. None where that cannot be told, which keeps nobody from trying.
fn last_end(order: &Order<'_>, record: &Backup, way: &Way) -> Option<End> {
    let owner = order.engine.state().owner();
    let programs = Programs::find(order.programs, record.server_version / 10_000, owner).ok()?;
    let folder = order.engine.state().root().join(format!("probe-{}", std::process::id()));
    owner.folder(&folder).ok()?;
    let found = ends(order.engine, &programs, way, record.segment_bytes, &folder);
    let _ = fs::remove_dir_all(&folder);
    found
}

fn ends(engine: &dyn Engine, programs: &Programs, way: &Way, size: u64, folder: &Path) -> Option<End> {
    for segment in way.segments.iter().rev().take(LOOKED_AT) {
        let name = segment.name(size);
        let path = folder.join(&name);
        if !engine.give_wal(&name, &path).ok()? {
            return None;
        }
        // It ends with an error where the segment does, as every segment does that is not the last.
        let mut command = programs.command("pg_waldump");
        let told = command.env("TZ", "UTC").arg("--rmgr=Transaction").arg(&path).output().ok()?;
        let _ = fs::remove_file(&path);
        let all: Vec<End> = String::from_utf8_lossy(&told.stdout).lines().filter_map(end).collect();
        // Moments are not quite in the order of places.
        if let Some(at) = all.iter().map(|end| end.at).max() {
            return all.last().map(|last| End { at, place: last.place });
        }
    }
    None
}

/// When and where a transaction ended, by a line of `pg_waldump`: `… desc: COMMIT 2026-11-26 09:30:00.123456 UTC; …`.
fn end(line: &str) -> Option<End> {
    let (_, said) = line.split_once("desc: ")?;
    let (what, _) = said.split_once(' ')?;
    if !matches!(what, "COMMIT" | "ABORT" | "COMMIT_PREPARED" | "ABORT_PREPARED") {
        return None;
    }
    let (before, _) = said.split_once(" UTC")?;
    let mut words = before.rsplit(' ');
    let (time, day) = (words.next()?, words.next()?);
    let at: DateTime = format!("{day}T{time}").parse().ok()?;
    let place = line.split_once("lsn: ")?.1.split(',').next()?.parse().ok()?;
    Some(End { at: TimeZone::UTC.to_timestamp(at).ok()?, place })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_of_transactions_are_read() {
        let line = |desc: &str| {
            end(&format!(
                "rmgr: Transaction len (rec/tot):     34/    34, tx:        745, lsn: 0/0301A5B8, prev 0/0301A580, desc: {desc}"
            ))
            .map(|end| format!("{} {}", end.at, end.place))
        };
        let at = Some("2026-11-26T09:30:00.123456Z 0/301A5B8".to_owned());
        assert_eq!(line("COMMIT 2026-11-26 09:30:00.123456 UTC"), at);
        assert_eq!(line("ABORT 2026-11-26 09:30:00.123456 UTC; rels: base/5/16384"), at);
        assert_eq!(line("COMMIT_PREPARED 745: 2026-11-26 09:30:00.123456 UTC; inval msgs: catcache 21"), at);
        assert_eq!(line("PREPARE gid x: 2026-11-26 09:30:00.123456 UTC"), None, "it has not ended");
        assert_eq!(line("COMMIT 2026-11-26 09:30:00.123456 CET"), None);
        assert_eq!(line("INVALIDATION ; inval msgs:"), None);
    }
}
