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
use crate::ops::backup::wal::{Lsn, Segment};

/// In so many of the newest segments is looked for the end of a transaction.
const LOOKED_AT: usize = 16;

/// Refuses what lies beyond all WAL that is there, as far as that can be told.
///
/// # Errors
/// What is not there.
pub fn reachable(order: &Order<'_>, record: &Backup) -> Result<(), Trouble> {
    let all = "leave --time and --lsn out: the server is then recovered as far as there is WAL";
    let refuse = |message: String, help: String| Err(Trouble::Refused { message, help });
    match &order.target {
        Target::Time(time) if *time > Timestamp::now() => refuse(format!("{time} is in the future"), all.to_owned()),
        Target::Time(time) => match last_end(order, record) {
            Some(last) if last <= *time => refuse(
                format!("nothing was committed after {time} in the WAL that is there: the last commit is of {last}"),
                format!(
                    "{all}, and has all that was committed until then. If the server runs and has committed more since, its \
                     newest WAL is not archived yet: `SELECT pg_switch_wal()` there, and do the same again"
                ),
            ),
            _ => Ok(()),
        },
        Target::Place(lsn) => {
            let size = record.segment_bytes;
            let newest = order.engine.newest_wal().and_then(|name| Segment::read(&name, size));
            match newest.map(|newest| Lsn((newest.number + 1).saturating_mul(size))) {
                Some(end) if *lsn > end => {
                    let message = format!("WAL {lsn} is not in the repository, whose newest ends before {end}");
                    refuse(message, all.to_owned())
                }
                _ => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// When the last transaction ended of those that are in the newest WAL. None where that cannot be told, which keeps
/// nobody from trying.
fn last_end(order: &Order<'_>, record: &Backup) -> Option<Timestamp> {
    if order.stays_on_its_timeline(record) {
        return None;
    }
    let size = record.segment_bytes;
    let newest = Segment::read(&order.engine.newest_wal()?, size)?;
    let owner = order.engine.state().owner();
    let programs = Programs::find(order.programs, record.server_version / 10_000, owner).ok()?;
    let folder = order.engine.state().root().join(format!("probe-{}", std::process::id()));
    owner.folder(&folder).ok()?;
    let found = ends(order.engine, &programs, newest, (record.begin()?.number, size), &folder);
    let _ = fs::remove_dir_all(&folder);
    found
}

fn ends(
    engine: &dyn Engine,
    programs: &Programs,
    newest: Segment,
    (first, size): (u64, u64),
    folder: &Path,
) -> Option<Timestamp> {
    for number in (first..=newest.number).rev().take(LOOKED_AT) {
        let name = Segment { number, ..newest }.name(size);
        let path = folder.join(&name);
        if !engine.give_wal(&name, &path).ok()? {
            return None;
        }
        // It ends with an error where the segment does, as every segment does that is not the last.
        let mut command = programs.command("pg_waldump");
        let told = command.env("TZ", "UTC").arg("--rmgr=Transaction").arg(&path).output().ok()?;
        let _ = fs::remove_file(&path);
        if let Some(last) = String::from_utf8_lossy(&told.stdout).lines().filter_map(end).max() {
            return Some(last);
        }
    }
    None
}

/// When a transaction ended, by a line of `pg_waldump`: `… desc: COMMIT 2026-11-26 09:30:00.123456 UTC; …`.
fn end(line: &str) -> Option<Timestamp> {
    let (_, said) = line.split_once("desc: ")?;
    let (what, _) = said.split_once(' ')?;
    if !matches!(what, "COMMIT" | "ABORT" | "COMMIT_PREPARED" | "ABORT_PREPARED") {
        return None;
    }
    let (before, _) = said.split_once(" UTC")?;
    let mut words = before.rsplit(' ');
    let (time, day) = (words.next()?, words.next()?);
    let at: DateTime = format!("{day}T{time}").parse().ok()?;
    TimeZone::UTC.to_timestamp(at).ok()
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
            .map(|at| at.to_string())
        };
        let at = Some("2026-11-26T09:30:00.123456Z".to_owned());
        assert_eq!(line("COMMIT 2026-11-26 09:30:00.123456 UTC"), at);
        assert_eq!(line("ABORT 2026-11-26 09:30:00.123456 UTC; rels: base/5/16384"), at);
        assert_eq!(line("COMMIT_PREPARED 745: 2026-11-26 09:30:00.123456 UTC; inval msgs: catcache 21"), at);
        assert_eq!(line("PREPARE gid x: 2026-11-26 09:30:00.123456 UTC"), None, "it has not ended");
        assert_eq!(line("COMMIT 2026-11-26 09:30:00.123456 CET"), None);
        assert_eq!(line("INVALIDATION ; inval msgs:"), None);
    }
}
