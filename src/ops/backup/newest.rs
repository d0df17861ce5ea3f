//! The newest WAL: what the server has archived last, held against what the repository has.
//!
//! That segments are missing between others is told by their numbers. That the last ones are, only the server can
//! tell: it has forgotten them, because it was told that they were kept.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::core::{Address, Desired, Query, RowError, Server, Value};
use crate::diag::{Diagnostic, Failure};
use crate::kinds::backup::{DUE, ID, INSIDE, LEFT, PATH, PILES_UP, TASK, WAL, WAL_LOST, work};
use crate::ops::backup::clocks::Clocks;
use crate::ops::backup::engine::{Engine, Finding, Place};
use crate::ops::backup::record::{Contents, Sort};
use crate::ops::backup::timeline::History;
use crate::ops::backup::wal::Segment;
use crate::ops::backup::{Trouble, restore, server, unreadable};
use crate::pg::Session;
use crate::plan::Plan;

/// A segment that is not there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lost {
    /// Its name.
    segment: String,
    /// When the server archived it, in its own words.
    at: String,
    /// The newest that is there.
    newest: Option<String>,
}

impl Lost {
    fn message(&self) -> String {
        let Self { segment, at, .. } = self;
        format!("the server has archived WAL {segment} ({at}), and it is not in the repository")
    }

    fn why(&self) -> String {
        match &self.newest {
            Some(newest) => format!(
                "what was committed after WAL {newest}, the newest that is there, cannot be brought back, and will not be"
            ),
            None => "the repository has no WAL at all, and nothing that was committed since its backups comes back"
                .to_owned(),
        }
    }

    /// As something that was looked for and found.
    pub fn finding(&self) -> Finding {
        let why = format!("{}: {}; {HELP}", self.message(), self.why());
        (format!("WAL {}", self.segment), Some(why))
    }

    fn diagnostic(&self) -> Diagnostic {
        Diagnostic::error(&WAL_LOST, self.message()).why(self.why()).help(HELP)
    }
}

const HELP: &str = "make a full backup now, `chronoform backup run --type full`, from which on the server can be brought \
                    back again; and look what takes files out of the repository, or whether `archive_command` brings \
                    them elsewhere";

/// The segment that the server has archived last, where a backup needs it and the repository does not have it. A
/// server that has archived nothing since its statistics began says nothing.
///
/// # Errors
/// When the server or the repository cannot be asked.
pub fn lost(engine: &dyn Engine, contents: &Contents, session: &mut Session) -> Result<Option<Lost>, Trouble> {
    // The server first: what it archives meanwhile is not asked for.
    let sql =
        "SELECT a.last_archived_wal AS wal, a.last_archived_time::text AS at FROM pg_catalog.pg_stat_archiver AS a";
    let rows = session.query(&Query { sql: sql.to_owned(), params: Vec::new() })?;
    let read = || -> Result<_, RowError> {
        let Some(row) = rows.first() else { return Ok(None) };
        Ok(row.maybe_text("wal")?.zip(row.maybe_text("at")?).map(|(wal, at)| (wal.to_owned(), at.to_owned())))
    };
    let Some((file, at)) = read().map_err(server::unexpected)? else { return Ok(None) };
    // `<segment>.<offset>.backup` comes after the segment itself.
    let Some(segment) = file.get(..24).filter(|segment| is_needed(segment, contents)) else { return Ok(None) };
    if engine.has_wal(segment)? {
        return Ok(None);
    }
    Ok(Some(Lost { segment: segment.to_owned(), at, newest: engine.newest_wal() }))
}

/// Whether a segment comes after the beginning of any backup that counts. What came before may have been archived to
/// anywhere, or have expired.
fn is_needed(segment: &str, contents: &Contents) -> bool {
    let archived = contents.own().filter(|backup| !backup.has_wal);
    let mut begins = archived.filter_map(|backup| backup.wal.first().map(|range| (range, backup.segment_bytes)));
    begins.any(|(range, size)| {
        let begin = Segment::at(range.timeline, range.from, size);
        Segment::read(segment, size).is_some_and(|segment| segment >= begin)
    })
}

/// What the repositories of policies tell, whether or not anything is due.
#[derive(Debug, Default)]
pub struct Told {
    /// What the server has archived last, and is not there.
    pub lost: Vec<Diagnostic>,
    /// What is wrong with clocks, and with what bears moments by them.
    pub ahead: Vec<Diagnostic>,
}

fn backups(desired: &BTreeMap<Address, Desired>) -> impl Iterator<Item = &Desired> {
    desired.values().filter(|desired| desired.address.kind == ID && desired.address.name == work::BACKUP)
}

/// Whether a backup of a policy goes with archived WAL.
pub fn archives(desired: &Desired) -> bool {
    desired.get(WAL).and_then(Value::as_bool).unwrap_or(false)
}

/// Looks at the repositories of policies.
///
/// # Errors
/// When the server or a repository cannot be asked.
pub fn of_policies(
    session: &mut Session,
    server: &Server,
    desired: &BTreeMap<Address, Desired>,
) -> Result<Told, Failure> {
    let (mut seen, mut told) = (BTreeSet::new(), Told::default());
    for desired in backups(desired) {
        let Some(place) = Place::read(|name| desired.get(name)) else { continue };
        if !seen.insert(place.clone()) {
            continue;
        }
        let engine = place.open(&server.system_identifier);
        let failed = |trouble: Trouble| Failure::from(unreadable(&*engine, &trouble));
        if let Some(inside) = inside(session, desired).map_err(failed)? {
            return Err(inside.into());
        }
        let contents = engine.contents().map_err(failed)?;
        if archives(desired) {
            if let Some(left) = left(session, &contents).map_err(failed)? {
                return Err(left.at(&desired.place).into());
            }
            let lost = lost(&*engine, &contents, session).map_err(failed)?;
            told.lost.extend(lost.map(|lost| lost.diagnostic().at(&desired.place)));
        }
        let clocks = Clocks::with(server.now_micros);
        let behind = Clocks::behind(&engine.place(), &contents);
        let said = [clocks.told(&engine.place(), &contents), behind, clocks.apart()];
        told.ahead.extend(said.into_iter().flatten().map(|said| said.at(&desired.place)));
    }
    Ok(told)
}

/// That the repository goes on with a later timeline than the server's: another server, which was brought back or
/// promoted, archives to it, and what this one commits comes back by nothing that is asked for without a label.
fn left(session: &mut Session, contents: &Contents) -> Result<Option<Diagnostic>, Trouble> {
    let Some(history) = &contents.history else { return Ok(None) };
    let sql = "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() \
                           THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END AS segment";
    let rows = session.query(&Query { sql: sql.to_owned(), params: Vec::new() })?;
    let segment = rows.first().map_or(Ok(None), |row| row.maybe_text("segment")).map_err(server::unexpected)?;
    let own = segment.and_then(|segment| u32::from_str_radix(segment.get(..8)?, 16).ok());
    let Some(own) = own.filter(|own| *own < history.newest) else { return Ok(None) };
    let newest = history.newest;
    let told = Diagnostic::error(&LEFT, format!("the server is on timeline {own}, and its repository goes on with {newest}"))
        .why("a server that was brought back or promoted archives to the same repository: what this one commits is not brought back")
        .help(format!(
            "stop the one that is not to go on. Where it is this one that goes on, give it a repository of its own, or \
             move the WAL of timeline {newest} and {} out of this one",
            History::file(newest).unwrap_or_default()
        ));
    Ok(Some(told))
}

/// That a repository is in the folder of the server that is backed up, as far as this role may know where that is. Each
/// backup would hold all that are before it.
fn inside(session: &mut Session, desired: &Desired) -> Result<Option<Diagnostic>, Trouble> {
    let Some(path) = desired.get(PATH).and_then(Value::as_text) else { return Ok(None) };
    let sql = "SELECT s.setting AS data FROM pg_catalog.pg_settings AS s WHERE s.name = 'data_directory'";
    let rows = session.query(&Query { sql: sql.to_owned(), params: Vec::new() })?;
    let data = rows.first().map_or(Ok(None), |row| row.maybe_text("data")).map_err(server::unexpected)?;
    let Some(data) = data.filter(|data| restore::real(Path::new(path)).starts_with(restore::real(Path::new(data))))
    else {
        return Ok(None);
    };
    let told = Diagnostic::error(&INSIDE, format!("{path} is in the server's own data folder, {data}"))
        .at(desired.place_of(PATH))
        .why("each backup would hold all earlier ones, and all of them go with the server's disk")
        .help("name a folder outside of it, best on another disk, and move there what is worth keeping");
    Ok(Some(told))
}

/// That the server keeps all WAL that it was to archive, and nothing archives: what has taken the command away waits for
/// a restart to switch archiving off as well. Only where policies have backups, and none with archived WAL.
///
/// # Errors
/// When the server cannot be asked.
pub fn piles_up(session: &mut Session, desired: &BTreeMap<Address, Desired>) -> Result<Option<Diagnostic>, Failure> {
    let Some(first) = backups(desired).next().filter(|_| !backups(desired).any(archives)) else { return Ok(None) };
    let sql = "SELECT 1 AS found WHERE pg_catalog.current_setting('archive_mode') IN ('on', 'always') \
               AND pg_catalog.current_setting('archive_command') = '' \
               AND COALESCE(pg_catalog.current_setting('archive_library', true), '') = ''";
    let rows = session.query(&Query { sql: sql.to_owned(), params: Vec::new() });
    let rows = rows.map_err(|error| error.diagnostic("asking how WAL is archived"))?;
    Ok((!rows.is_empty()).then(|| {
        let message = "the server keeps all of its WAL: `archive_mode` is on, and there is no `archive_command`";
        Diagnostic::warning(&PILES_UP, message)
            .why("nothing of it is removed before it is archived, and in the end the disk is full")
            .help("restart the server: `archive_mode` is switched off only by that")
            .at(&first.place)
    }))
}

/// Whether a plan makes a full backup, after which what was lost before is needed no more.
pub fn is_mended_by(plan: &Plan) -> bool {
    let tasks = plan.actions.iter().flat_map(|action| &action.steps).filter_map(|step| step.task.as_ref());
    let mut arguments = tasks.filter(|task| task.name == TASK).map(|task| &task.arguments);
    arguments.any(|said| {
        let is = |name: &str, word: &str| said.get(name).and_then(Value::as_text) == Some(word);
        is("work", work::BACKUP) && is(DUE, Sort::Full.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::backup::record::{Backup, WalRange, sample};
    use crate::ops::backup::wal::Lsn;

    #[test]
    fn what_no_backup_needs_is_not_asked_for() {
        let from = |timeline: u32, segment: u64| Backup {
            wal: vec![WalRange { timeline, from: Lsn(segment << 24), until: Lsn((segment << 24) + 100) }],
            ..sample("b")
        };
        let of = |backups: Vec<Backup>| Contents { backups, ..Contents::default() };
        let contents = of(vec![from(1, 5), from(1, 9)]);
        assert!(is_needed("000000010000000000000005", &contents));
        assert!(is_needed("000000010000000000000009", &contents));
        assert!(!is_needed("000000010000000000000004", &contents), "it has expired, or was archived elsewhere");
        assert!(is_needed("000000020000000000000006", &contents), "a timeline goes on from another");
        assert!(!is_needed("00000002.history", &contents));
        assert!(!is_needed("000000010000000000000005", &of(Vec::new())));
        assert!(!is_needed("000000010000000000000006", &of(vec![Backup { has_wal: true, ..from(1, 5) }])));
    }
}
