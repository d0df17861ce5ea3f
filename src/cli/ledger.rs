//! `chronoform ledger`: what was done, by whom, when, and whether the record is whole.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use crate::cli::args::{LedgerArgs, LedgerCommand};
use crate::cli::context::Context;
use crate::cli::out;
use crate::core::Address;
use crate::diag::{Diagnostic, Exit, Failure, code};
use crate::ledger::{Ledger, Memory, Moment, Origin, ResourceChange, RunRecord};
use crate::report;

/// Looks into the ledger, or moves it.
pub fn run(args: &LedgerArgs, context: &mut Context) -> Result<Exit, Failure> {
    let path = context.ledger_path()?;
    let options = context.report_options();
    match &args.command {
        LedgerCommand::Log { limit } => {
            let runs = Ledger::open_read(&path)?.log(*limit as usize, None)?;
            let lines: Vec<report::LogLine> = runs.iter().map(line).collect();
            out::print(&report::ledger_log(&lines, &options));
        }
        LedgerCommand::Show { run } => out::print(&report::ledger_show(&detail(&path, *run)?, &options)),
        LedgerCommand::Verify { head } => return verify(&path, head.as_deref(), &options),
        LedgerCommand::Export { file } => export(&path, file.as_deref())?,
        LedgerCommand::Import { file } => import(&path, file)?,
    }
    Ok(Exit::Done)
}

fn line(run: &RunRecord) -> report::LogLine {
    report::LogLine {
        run: run.id.number(),
        when: run.started.0,
        command: run.command.clone(),
        who: format!("{}@{}", run.who.user, run.who.host),
        database: run.database.name.clone(),
        outcome: run.state.as_str().to_owned(),
        summary: run.summary.clone(),
        elapsed: run.finished.map(|finished| between(run.started, finished)),
    }
}

fn between(started: Moment, finished: Moment) -> Duration {
    Duration::from_micros(u64::try_from(finished.0.saturating_sub(started.0)).unwrap_or(0))
}

fn detail(path: &Path, number: Option<i64>) -> Result<report::RunDetail, Failure> {
    let ledger = Ledger::open_read(path)?;
    let runs = ledger.log(usize::MAX, None)?;
    let found = match number {
        Some(number) => runs.iter().find(|run| run.id.number() == number),
        None => runs.first(),
    };
    let unknown = || {
        let message = match number {
            Some(number) => format!("the ledger {} has no run {number}", path.display()),
            None => format!("the ledger {} has no run yet", path.display()),
        };
        Failure::from(Diagnostic::error(&code::WRONG_VALUE, message).help("`chronoform ledger log` lists the runs"))
    };
    let id = found.ok_or_else(unknown)?.id;
    let detail = ledger.show(id)?.ok_or_else(unknown)?;
    let steps = detail.steps.iter().map(|step| report::StepLine {
        address: step.address.to_string(),
        op: step.op,
        sql: step.sql.clone(),
        state: step.state.as_str().to_owned(),
        elapsed: step.elapsed_ms.map(Duration::from_millis),
        error: step.error.clone(),
        note: step.note.clone(),
    });
    // A resource that was moved may have been applied under its new name afterwards.
    let moved = |address: &Address| {
        let changes = detail.resources.iter().filter(|change| change.address == *address);
        changes.filter_map(|change| change.moved_from.as_ref()).next_back()
    };
    let resources = last_of_each(&detail.resources).into_iter().map(|change| report::ResourceLine {
        address: change.address.to_string(),
        change: match (change.change, change.origin, moved(&change.address)) {
            (Memory::Applied, _, Some(before)) => format!("moved from {before}"),
            (Memory::Applied, Some(Origin::Adopted), None) => "adopted".to_owned(),
            (memory, ..) => memory.as_str().to_owned(),
        },
    });
    Ok(report::RunDetail {
        run: line(&detail.run),
        role: detail.run.role.clone(),
        plan_digest: detail.run.plan_digest.clone(),
        policies_digest: detail.run.policies_digest.clone(),
        steps: steps.collect(),
        resources: resources.collect(),
    })
}

/// What a run last recorded of each resource, in the order in which it came to them: it records one when
/// its action ends, and once more as the server shows it after the last.
fn last_of_each(changes: &[ResourceChange]) -> Vec<&ResourceChange> {
    let mut last: Vec<&ResourceChange> = Vec::new();
    for change in changes {
        match last.iter_mut().find(|known| known.address == change.address) {
            Some(known) => *known = change,
            None => last.push(change),
        }
    }
    last
}

fn verify(path: &Path, head: Option<&str>, options: &report::Options) -> Result<Exit, Failure> {
    // Elsewhere one that is not there is one that nothing was written into yet. Whoever verifies one means it.
    if !path.exists() {
        let message = format!("there is no ledger {}", path.display());
        let help = "check the path; one that was lost is had again from a copy: `chronoform ledger import`";
        return Err(Diagnostic::error(&code::LEDGER_UNREADABLE, message).help(help).into());
    }
    let found = Ledger::open_read(path)?.verify_since(head)?;
    let problem = |finding: &crate::ledger::Finding| report::Problem { entry: None, message: finding.to_string() };
    let verification = report::Verification {
        file: path.display().to_string(),
        entries: found.events,
        head: Some(found.head.clone()),
        problems: found.findings.iter().map(problem).collect(),
    };
    out::print(&report::ledger_verify(&verification, options));
    if found.holds() {
        return Ok(Exit::Done);
    }
    Err(Failure(found.findings.iter().map(crate::ledger::Finding::diagnostic).collect()))
}

fn export(path: &Path, file: Option<&Path>) -> Result<(), Failure> {
    let ledger = Ledger::open_read(path)?;
    match file {
        None => ledger.export(&mut io::stdout().lock())?,
        Some(file) => {
            let target = File::create(file).map_err(|error| unusable(file, &error))?;
            let mut target = BufWriter::new(target);
            let events = ledger.export(&mut target)?;
            target.flush().and_then(|()| target.get_ref().sync_all()).map_err(|error| unusable(file, &error))?;
            events
        }
    };
    Ok(())
}

fn import(path: &Path, file: &Path) -> Result<(), Failure> {
    let source = File::open(file).map_err(|error| unusable(file, &error))?;
    let events = Ledger::open(path)?.import(&mut BufReader::new(source))?;
    out::print(&format!("{events} entries imported into {}\n", path.display()));
    Ok(())
}

fn unusable(file: &Path, error: &io::Error) -> Failure {
    Diagnostic::error(&code::FILE_UNREADABLE, format!("{}: {error}", file.display())).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::KindId;

    #[test]
    fn a_resource_is_listed_once_as_it_was_last_recorded() {
        let change = |name: &str, change: Memory, at: i64| ResourceChange {
            address: Address::global(KindId::new("extension"), name),
            change,
            at: Moment(at),
            origin: None,
            attributes: None,
            policy: None,
            moved_from: None,
        };
        let changes = [
            change("b", Memory::Forgotten, 1),
            change("a", Memory::Applied, 2),
            change("b", Memory::Applied, 3),
            change("a", Memory::Applied, 4),
        ];
        let listed: Vec<(&str, i64)> =
            last_of_each(&changes).into_iter().map(|change| (change.address.name.as_str(), change.at.0)).collect();
        assert_eq!(listed, [("b", 3), ("a", 4)]);
        assert!(last_of_each(&changes).iter().all(|change| change.change == Memory::Applied));
    }
}
