//! `chronoform fmt`: one layout for all policy files, comments kept.

use std::path::Path;

use crate::cli::args::FmtArgs;
use crate::cli::context::Context;
use crate::cli::out;
use crate::diag::{Diagnostic, Exit, Failure, code, has_errors};
use crate::load::{files, format};

/// Rewrites the files that are not in the layout, or names them.
pub fn run(args: &FmtArgs, context: &mut Context) -> Result<Exit, Failure> {
    let paths = context.paths(&args.paths)?;
    let mut changed = 0;
    for path in files::find(&paths, &mut context.diagnostics) {
        match rewrite(&path, args.check, context) {
            Ok(true) => {
                changed += 1;
                out::print(&format!("{}\n", path.display()));
            }
            Ok(false) => {}
            Err(failure) => context.diagnostics.extend(failure.0),
        }
    }
    if has_errors(&context.diagnostics) {
        return Err(Failure(std::mem::take(&mut context.diagnostics)));
    }
    Ok(if args.check && changed > 0 { Exit::Error } else { Exit::Done })
}

/// Whether the file was not in the layout.
fn rewrite(path: &Path, check: bool, context: &mut Context) -> Result<bool, Failure> {
    let read = files::read(path, &mut context.sources)?;
    let text = read.text.as_str();
    let formatted = format::file(&read.text)?;
    if formatted == text {
        return Ok(false);
    }
    if !check {
        // Aside and then into place: a policy is never half a file.
        let mut aside = path.as_os_str().to_owned();
        aside.push(format!(".{}.new", std::process::id()));
        std::fs::write(&aside, &formatted).and_then(|()| std::fs::rename(&aside, path)).map_err(|error| {
            let _ = std::fs::remove_file(&aside);
            Failure::from(Diagnostic::error(&code::FILE_UNREADABLE, format!("{}: {error}", path.display())))
        })?;
    }
    Ok(true)
}
