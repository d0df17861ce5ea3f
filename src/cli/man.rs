//! `chronoform man`: manual pages, from the same source as the help.

use std::fs;
use std::path::Path;

use clap_mangen::Man;

use crate::cli::args::ManArgs;
use crate::cli::{command, out};
use crate::diag::{Diagnostic, Exit, Failure, code};

/// Prints a page, or writes them all.
pub fn run(args: &ManArgs) -> Result<Exit, Failure> {
    // Commands know their whole name, and their global flags, once the tree is built.
    let mut whole = command();
    whole.build();
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
        write_all(&whole, folder)?;
        return Ok(Exit::Done);
    }
    let mut found = &whole;
    for name in &args.command {
        found = found.find_subcommand(name).ok_or_else(|| {
            let message = format!("there is no command `{}`", args.command.join(" "));
            Failure::from(Diagnostic::error(&code::WRONG_VALUE, message).help("`chronoform --help` lists the commands"))
        })?;
    }
    out::print(&String::from_utf8_lossy(&page(found)?));
    Ok(Exit::Done)
}

fn page(command: &clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let rendered = Man::new(command.clone()).title(name).render(&mut page);
    rendered
        .map_err(|error| Failure::from(Diagnostic::error(&code::INTERNAL, format!("no page can be made: {error}"))))?;
    Ok(page)
}

fn write_all(command: &clap::Command, folder: &Path) -> Result<(), Failure> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let file = folder.join(format!("{name}.1"));
    fs::write(&file, page(command)?).map_err(|error| unusable(&file, &error))?;
    command
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .try_for_each(|command| write_all(command, folder))
}

fn unusable(file: &Path, error: &std::io::Error) -> Failure {
    Diagnostic::error(&code::OUTPUT_LOST, format!("{}: {error}", file.display())).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        let args = ManArgs { command: Vec::new(), out: Some(folder.path().to_owned()) };
        run(&args).unwrap();
        for page in ["chronoform.1", "chronoform-apply.1", "chronoform-ledger-verify.1"] {
            let text = fs::read_to_string(folder.path().join(page)).unwrap();
            assert!(text.contains(".TH") && text.contains(".SH SYNOPSIS"), "{page}: {text}");
        }
        let text = fs::read_to_string(folder.path().join("chronoform-apply.1")).unwrap();
        assert!(text.contains("patience"), "{text}");
        let wrong = ManArgs { command: vec!["nothing".to_owned()], out: None };
        assert!(run(&wrong).is_err());
    }
}
