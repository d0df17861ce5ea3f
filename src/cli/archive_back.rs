//! `chronoform archive restore`: how rows come back.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::apply as gate;
use crate::cli::archive::{Looked, Which, look, name, span};
use crate::cli::archive_doubt::{about_beside, is_named, left_out};
use crate::cli::archive_of::of_one_database;
use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::{out, record};
use crate::core::{QualifiedName, Server};
use crate::diag::{Diagnostic, Exit, Failure, Severity, code};
use crate::kinds::archive::{self, NOT_RESTORED};
use crate::ops::archive::ArchiveError;
use crate::ops::archiver::{self, Damaged, Entry, Stopped};
use crate::report::{self, ArchiveLine};
use crate::snapshot;

/// What is to come back.
pub struct Wanted<'a> {
    /// The table that it is from.
    pub table: &'a str,
    /// Which of it.
    pub which: &'a Which,
    /// Where to.
    pub into: Option<&'a str>,
    /// The files that are left out.
    pub leave_out: &'a [String],
    /// Whether nobody is asked.
    pub auto_approve: bool,
    /// How long to wait for others.
    pub timeout: Duration,
}

/// Brings it back.
///
/// # Errors
/// What stopped it: nothing is brought back then.
pub fn restore(wanted: &Wanted<'_>, context: &mut Context) -> Result<Exit, Failure> {
    let looked = look(Some(wanted.table), wanted.which, context)?;
    let span = span(wanted.which)?;
    let mut session = context.connect()?;
    let server = snapshot::open(&mut session)?;
    snapshot::finish(&mut session)?;
    let entries = coming_back(wanted, &looked, &server, &mut context.diagnostics)?;
    let into = name(wanted.into.unwrap_or(wanted.table))?;
    if entries.is_empty() {
        out::print(&format!("Nothing of {} is archived for that time.\n", report::clean(wanted.table)));
        return Ok(Exit::Done);
    }
    match looked.about_doubted(entries.iter().copied()) {
        // Who names a store, means what that has.
        Some(doubted) if wanted.which.store.is_some() => context.diagnostics.push(doubted),
        Some(doubted) => return Err(Diagnostic { severity: Severity::Error, ..doubted }.into()),
        None => {}
    }
    context.diagnostics.extend(about_beside(entries.iter().copied()));
    stays(&into, &looked, &server)?;
    let rows: u64 = entries.iter().map(|entry| entry.manifest.rows).sum();
    let question = format!("Bring up to {rows} rows of {} files back into {into}?", entries.len());
    crate::cli::apply::ask(wanted.auto_approve, || question)?;
    let mut waiting = |holder: &str| {
        out::eprint(&format!("waiting for the database's lock, held by {}\n", report::clean(holder)));
    };
    let mut locked = gate::lock(&mut session, server.single_session, wanted.timeout, &mut waiting)?;
    // A run may have archived again what was to come back.
    let told = context.diagnostics.len();
    let by_now = look(Some(wanted.table), wanted.which, context)?;
    let is_same = coming_back(wanted, &by_now, &server, &mut context.diagnostics)? == entries;
    context.diagnostics.truncate(told);
    if !is_same {
        return Err(changed(wanted.table));
    }
    let quiet = context.global.quiet || context.global.format != Format::Text;
    let mut tell = |words: &str| {
        if !quiet {
            out::eprint(&format!("{}\n", report::clean(words)));
        }
    };
    let (path, admission) = (context.ledger_path()?, context.admission());
    let mut work = || archiver::restore(locked.session(), &server, &entries, &span, &into, &mut tell).map_err(stopped);
    let count = |done: &archiver::Restored| BTreeMap::from([("rows".to_owned(), done.rows)]);
    let done = record::alone(&path, &server, &admission, format!("archive restore {into}"), &mut work, count)?;
    if !done.open.is_empty() {
        let names: Vec<String> = done.open.iter().map(ToString::to_string).collect();
        let message = format!("not frozen, because rows of now may go into them: {}", names.join(", "));
        context.diagnostics.push(
            Diagnostic::warning(&archive::NOT_FROZEN, message)
                .why("what came back into them is archived again, and with `drop: true` dropped, once they are due")
                .help("bring the rows into another table (--into) where they are to stay"),
        );
    }
    if wanted.into.is_some() && into != name(wanted.table)? && looked.archived.contains(&into) {
        let message = format!("not frozen: the policies archive {into} itself");
        context.diagnostics.push(
            Diagnostic::warning(&archive::NOT_FROZEN, message)
                .why("the next run archives what came back as rows of its own, and with `drop: true` drops them")
                .help("bring the rows into a table that no policy archives where they are to stay"),
        );
    }
    let summary =
        report::ArchiveRestored { table: into.to_string(), files: done.files, rows: done.rows, frozen: done.frozen };
    out::print(&report::archive_restored(&summary, &context.report_options()));
    Ok(Exit::Done)
}

/// The copies that count, of what was looked at, of the database that is meant.
fn coming_back<'a>(
    wanted: &Wanted<'_>,
    looked: &'a Looked,
    server: &Server,
    sink: &mut Vec<Diagnostic>,
) -> Result<Vec<&'a Entry>, Failure> {
    let own = format!("{}/{}", server.system_identifier, server.database);
    let all = looked.stores.iter().flat_map(|(_, contents)| &contents.entries).filter(|entry| !entry.superseded);
    let entries = of_one_database(all.collect(), &own, wanted.which.database.as_deref(), sink)?;
    is_all_there(looked, entries.first().map_or(&own, |entry| &entry.manifest.database), wanted.leave_out)?;
    left_out(entries, looked, wanted.leave_out, |entry| entry)
}

fn changed(table: &str) -> Failure {
    let message =
        format!("nothing was brought back: what the archive has of {table} is not what was asked for any more");
    Diagnostic::error(&NOT_RESTORED, message)
        .why("a run has archived some of it again, or has removed it, since it was looked at")
        .help("`chronoform archive list` shows what is there by now; do the same again")
        .into()
}

/// That nothing of what a database has of the table is damaged or missing. What others have is not asked for, nor what
/// somebody leaves out.
///
/// # Errors
/// All that is.
pub fn is_all_there(looked: &Looked, database: &str, without: &[String]) -> Result<(), Failure> {
    let own = format!("{}/", archiver::folder_of(database));
    let damaged = looked.stores.iter().flat_map(|(_, contents)| &contents.damaged);
    let is_left_out = |shown: &str| without.iter().any(|name| is_named(shown, name));
    let damaged = damaged.filter(|damaged| damaged.name.starts_with(&own) && !is_left_out(&damaged.shown));
    let by_name = |of: &Damaged| {
        let found = unreadable(&of.shown, &of.error);
        let help = found.help.clone().unwrap_or_default();
        found.help(format!(
            "{help}. Bring it back from where the store is kept a second time; or go on without what it is of, by `--leave-out` \
             with its name: an older copy that it stands in for counts then"
        ))
    };
    let mut wrong: Vec<Diagnostic> = damaged.map(by_name).collect();
    wrong.extend(looked.missed.iter().filter(|record| record.chunk.file.starts_with(&own)).map(|record| {
        let ArchiveLine { file, problem, .. } = looked.missing(record);
        Diagnostic::error(&code::FILE_UNREADABLE, format!("{file}: {}", problem.unwrap_or_default()))
            .help("bring its files back from where the store is kept a second time, or choose another time by --from and --to")
    }));
    if wrong.is_empty() { Ok(()) } else { Err(Failure(wrong)) }
}

/// That what is brought back is not taken away again at once: chunks are frozen against that, where the server can.
fn stays(into: &QualifiedName, looked: &Looked, server: &Server) -> Result<(), Failure> {
    if server.has_community_features() || !looked.archived.contains(into) {
        return Ok(());
    }
    let message = format!("nothing was brought back: the next `run archive` would archive the rows of {into} again");
    Err(Diagnostic::error(&NOT_RESTORED, message)
        .why("TimescaleDB's Apache edition cannot freeze chunks; with `drop: true` the rows would be gone again")
        .help(
            "bring them into another table (--into), such as one made by `CREATE TABLE … (LIKE …)`; or take `archive` out of the \
             table's policy first, and put it back once they are gone from the table",
        )
        .into())
}

/// Why a file cannot be read.
pub fn unreadable(file: &str, error: &ArchiveError) -> Diagnostic {
    Diagnostic::error(&code::FILE_UNREADABLE, format!("{file}: {error}"))
        .help("`chronoform archive verify` tells what else is damaged")
}

fn stopped(stopped: Stopped) -> Failure {
    let message = format!("nothing was brought back: {stopped}");
    let again = "all of it is one transaction, which was rolled back: mend what stopped it and do the same again";
    let help = match &stopped {
        Stopped::Store(error) => format!("{}; {again}", error.help()),
        _ => again.to_owned(),
    };
    Diagnostic::error(&NOT_RESTORED, message).help(help).into()
}
