//! `chronoform plan`: what would change, why, how risky, with which SQL. Changes nothing.

use std::io;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};

use crate::cli::args::PlanArgs;
use crate::cli::context::Context;
use crate::cli::fleet::{self, One};
use crate::cli::look::look;
use crate::cli::publish::{Readers, in_format, place, publish};
use crate::diag::{Diagnostic, Exit, Failure, Severity, code, has_errors};
use crate::plan::{Message, Plan};
use crate::report::findings::{Finding, of_messages, of_plan};
use crate::report::{self, Ending, Fleet, Member};

/// Makes the plan, prints it and, where asked, writes it.
pub fn run(args: &PlanArgs, context: &mut Context) -> Result<Exit, Failure> {
    if let Some(names) = context.several_targets()? {
        return several(args, &names, context);
    }
    // Thousands of small values would be given back one by one, just before the process ends.
    let looked = ManuallyDrop::new(look(&args.paths, context)?);
    let plan = &looked.made.plan;
    publish(&[], context, |format, options| {
        let about = format!("plan for {}", plan.target.database);
        in_format(format, options, &about, || of_plan(plan), |o| report::plan(plan, o))
    })?;
    if let Some(path) = &args.out {
        write(plan, path)?;
    }
    if has_errors(&context.diagnostics) {
        return Err(Failure(std::mem::take(&mut context.diagnostics)));
    }
    let differs = args.detailed_exitcode && !plan.is_empty();
    Ok(if differs { Exit::Differences } else { Exit::Done })
}

/// The same for several targets, with a folder of plans.
fn several(args: &PlanArgs, names: &[String], context: &mut Context) -> Result<Exit, Failure> {
    let mut found = fleet::look(names, args.parallel, context, |context| Ok(look(&args.paths, context)?.made.plan))?;
    // As `apply` will refuse it.
    let same = fleet::say_same_database(&mut found, Severity::Error, |plan| &plan.target);
    let exits = found.iter().map(|one| {
        one.exit(|plan| match (has_errors(&one.context.diagnostics), args.detailed_exitcode && !plan.is_empty()) {
            (true, _) => Failure(one.context.diagnostics.clone()).exit(),
            (false, true) => Exit::Differences,
            (false, false) => Exit::Done,
        })
    });
    let exit = fleet::worst(exits);
    let members = found.iter().map(|one| {
        let mut member = member(one);
        member.messages.extend(same.get(&one.name).map(Message::from));
        member
    });
    let report = Fleet { members: members.collect(), exit: exit as u8 };
    publish(&[], context, |format, options| {
        let all = || report.members.iter().flat_map(findings_of).collect();
        in_format(format, options, "plan for several targets", all, |o| report::plans(&report, o))
    })?;
    if let Some(folder) = &args.out {
        write_all(&found, folder)?;
    }
    fleet::say(&mut found);
    Ok(exit)
}

/// A target's line among several.
fn member(one: &One<Plan>) -> Member<&Plan> {
    let refused = || Failure(one.context.diagnostics.clone()).exit() == Exit::Refused;
    one.member(|plan| match (has_errors(&one.context.diagnostics), plan.is_empty()) {
        (true, _) if refused() => (plan, "refused", Ending::Badly),
        (true, _) => (plan, "errors", Ending::Badly),
        (false, true) => (plan, "no changes", Ending::Well),
        (false, false) => (plan, "changes", Ending::Open),
    })
}

/// A target's findings among those of others.
fn findings_of(member: &Member<&Plan>) -> Vec<Finding> {
    let own = member.found.map(of_plan).unwrap_or_default();
    let findings = own.into_iter().chain(of_messages(&member.messages));
    findings.map(|finding| finding.of_target(&member.name)).collect()
}

/// The file of a target's plan in a folder of plans.
pub fn file_of(folder: &Path, target: &str) -> PathBuf {
    folder.join(format!("{target}.json"))
}

/// Writes a plan for each target. For one that has none, the plan of an earlier run goes away: it
/// would be taken for this one's.
fn write_all(found: &[One<Plan>], folder: &Path) -> Result<(), Failure> {
    let wrong = |path: &Path, error: &io::Error| {
        let message = format!("the plans cannot be written to {}: {error}", path.display());
        let help = "with several targets, `--out` names a folder, which then holds a file for each";
        Failure::from(Diagnostic::error(&code::FILE_UNREADABLE, message).help(help))
    };
    std::fs::create_dir_all(folder).map_err(|error| wrong(folder, &error))?;
    for one in found {
        let path = file_of(folder, &one.name);
        match &one.result {
            Ok(plan) => write(plan, &path)?,
            Err(_) => match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(wrong(&path, &error)),
                _ => {}
            },
        }
    }
    Ok(())
}

/// Writes the plan, whole or not at all, for nobody else to read: it tells what is in the database.
fn write(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let wrong = |error: String| {
        let message = format!("the plan cannot be written to {}: {error}", path.display());
        Failure::from(Diagnostic::error(&code::FILE_UNREADABLE, message))
    };
    let text = plan.to_json().map_err(|error| wrong(error.to_string()))?;
    place(&text, path, Readers::Owner).map_err(|error| wrong(error.to_string()))
}
