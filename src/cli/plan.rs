//! `chronoform plan`: what would change, why, how risky, with which SQL. Changes nothing.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::cli::args::PlanArgs;
use crate::cli::context::Context;
use crate::cli::fleet::{self, One};
use crate::cli::look::look;
use crate::cli::out;
use crate::diag::{Diagnostic, Exit, Failure, code, has_errors};
use crate::plan::Plan;
use crate::report::{self, Ending, Fleet, Member};

/// Makes the plan, prints it and, where asked, writes it.
pub fn run(args: &PlanArgs, context: &mut Context) -> Result<Exit, Failure> {
    if let Some(names) = context.several_targets()? {
        return several(args, &names, context);
    }
    let plan = look(&args.paths, context)?.made.plan;
    out::print(&report::plan(&plan, &context.report_options()));
    if let Some(path) = &args.out {
        write(&plan, path)?;
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
    let exits = found.iter().map(|one| {
        one.exit(|plan| match (has_errors(&one.context.diagnostics), args.detailed_exitcode && !plan.is_empty()) {
            (true, _) => Exit::Error,
            (false, true) => Exit::Differences,
            (false, false) => Exit::Done,
        })
    });
    let exit = fleet::worst(exits);
    let report = Fleet { members: found.iter().map(member).collect(), exit: exit as u8 };
    out::print(&report::plans(&report, &context.report_options()));
    if let Some(folder) = &args.out {
        write_all(&found, folder)?;
    }
    fleet::say(&mut found);
    Ok(exit)
}

/// A target's line among several.
fn member(one: &One<Plan>) -> Member<&Plan> {
    one.member(|plan| match (has_errors(&one.context.diagnostics), plan.is_empty()) {
        (true, _) => (plan, "errors", Ending::Badly),
        (false, true) => (plan, "no changes", Ending::Well),
        (false, false) => (plan, "changes", Ending::Open),
    })
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

/// Writes the plan. A regular file is written beside its place and moved there, so that no half of
/// one is ever found; through a link to where it leads, and with the mode that it had. Anything else
/// (a pipe, a terminal) is written to as it is.
fn write(plan: &Plan, path: &Path) -> Result<(), Failure> {
    let wrong = |error: String| {
        let message = format!("the plan cannot be written to {}: {error}", path.display());
        Failure::from(Diagnostic::error(&code::FILE_UNREADABLE, message))
    };
    let text = plan.to_json().map_err(|error| wrong(error.to_string()))?;
    place(&text, path).map_err(|error| wrong(error.to_string()))
}

fn place(text: &str, path: &Path) -> io::Result<()> {
    let there = std::fs::metadata(path).ok();
    if there.as_ref().is_some_and(|there| !there.is_file()) {
        return std::fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes());
    }
    let real = if there.is_some() { std::fs::canonicalize(path)? } else { path.to_owned() };
    let mut aside = real.as_os_str().to_owned();
    aside.push(format!(".{}.new", std::process::id()));
    let written = std::fs::write(&aside, text)
        .and_then(|()| there.map_or(Ok(()), |there| std::fs::set_permissions(&aside, there.permissions())))
        .and_then(|()| std::fs::rename(&aside, &real));
    written.inspect_err(|_| {
        let _ = std::fs::remove_file(&aside);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_plan_goes_where_a_link_leads_and_leaves_devices_alone() {
        use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::write(&target, "old").unwrap();
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&target, &link).unwrap();
        place("new", &link).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "new");
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
        place("x", Path::new("/dev/null")).unwrap();
        assert!(std::fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
