//! `chronoform schema`: the JSON Schemas that editors and `validate` use.

use crate::cli::args::SchemaArgs;
use crate::cli::context::Context;
use crate::cli::out;
use crate::diag::{Diagnostic, Exit, Failure, code};
use crate::load::schema;

/// Prints one schema, or the one of all documents; or writes each to a folder.
pub fn run(args: &SchemaArgs, _context: &mut Context) -> Result<Exit, Failure> {
    let schemas = schema::documents();
    if let Some(folder) = &args.out {
        let wrong = |error: std::io::Error| {
            let message = format!("{} cannot be written: {error}", folder.display());
            Failure::from(Diagnostic::error(&code::FILE_UNREADABLE, message))
        };
        std::fs::create_dir_all(folder).map_err(wrong)?;
        for (name, schema) in &schemas {
            std::fs::write(folder.join(name), format!("{schema:#}\n")).map_err(wrong)?;
        }
        return Ok(Exit::Done);
    }
    let name = format!("{}.json", args.kind.as_deref().unwrap_or("policy"));
    let Some(schema) = schemas.get(&name) else {
        let known: Vec<&str> = schemas.keys().filter_map(|name| name.strip_suffix(".json")).collect();
        let message = format!("there is no schema `{}`", args.kind.as_deref().unwrap_or_default());
        let help = format!("there are {}", known.join(", "));
        return Err(Diagnostic::error(&code::UNKNOWN_KIND, message).help(help).into());
    };
    out::print(&format!("{schema:#}\n"));
    Ok(Exit::Done)
}
