//! Running pgBackRest, and what it said where it failed.

use std::process::{Command, Stdio};

use crate::apply::Interrupt;
use crate::ops::backup::pgbackrest::storage;
use crate::ops::backup::{Trouble, programs};

/// What of its words is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said {
    /// Only why it failed.
    Errors,
    /// Each file as it is done.
    Progress,
    /// All of it, with what it wrote to its standard output.
    Everything,
}

/// Runs a command of it. Gives what it wrote to its standard output.
///
/// # Errors
/// When it cannot be started, fails or is stopped.
pub fn run(
    mut command: Command,
    said: Said,
    interrupt: &Interrupt,
    tell: &mut dyn FnMut(&str),
) -> Result<String, Trouble> {
    let (console, errors) = match said {
        Said::Errors => ("off", "warn"),
        Said::Progress => ("off", "detail"),
        Said::Everything => ("detail", "off"),
    };
    command.arg(format!("--log-level-console={console}")).arg(format!("--log-level-stderr={errors}"));
    // Told that a file cannot be had, it asks for the next one, each for as long as its patience lasts.
    let hopeless = |line: &str| storage::trouble(line.split_once("INFO: invalid result")?.1);
    programs::run_unless(command, "pgbackrest", interrupt, tell, &hopeless).map_err(explain)
}

/// Runs one whose end says something: whether it is 0; 1 is no.
///
/// # Errors
/// When it cannot be started, or fails otherwise.
pub fn status(mut command: Command) -> Result<bool, Trouble> {
    command.args(["--log-level-console=off", "--log-level-stderr=warn"]).stdout(Stdio::null());
    let out = command.output().map_err(|error| Trouble::Program(format!("pgbackrest cannot be started: {error}")))?;
    match out.status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(explain(Trouble::Program(format!(
            "pgbackrest failed ({}): {}",
            out.status,
            String::from_utf8_lossy(&out.stderr).lines().map(str::trim).collect::<Vec<_>>().join("; ")
        )))),
    }
}

/// Whether it did nothing, because another one is at work in the stanza.
pub fn is_busy(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Refused { help, .. } if help == BUSY)
}

const BUSY: &str = "another pgBackRest is at work in the stanza: let it end, and run this again";

/// Its own words, without what it said before they began.
fn explain(trouble: Trouble) -> Trouble {
    let Trouble::Program(words) = trouble else { return trouble };
    if words.contains("cannot be started") {
        let help = "install pgBackRest (Debian: `apt install pgbackrest`), or name it: `pgbackrest: {program: …}`";
        return Trouble::Refused { message: words, help: help.to_owned() };
    }
    let Some((before, error)) = words.split_once("ERROR: ") else { return Trouble::Program(words) };
    let began = before.split_once("): ").map_or("pgbackrest failed", |(failed, _)| failed);
    if let Some(sort) = storage::of(error) {
        let message = format!("{began}): {}", storage::line(error));
        return Trouble::Storage { sort, message, secrets: Vec::new() };
    }
    // What it says of its own end says nothing more.
    let kept = error.split("; ").filter(|part| !part.contains("INFO: ") && !part.contains("DETAIL: "));
    let mut message = format!("{began}): {}", kept.collect::<Vec<_>>().join("; "));
    message.retain(|letter| !letter.is_control());
    let is = |code: &str| error.starts_with(code);
    // The numbers are pgBackRest's own (`src/build/error/error.yaml`).
    let help = match () {
        () if is("[050]") => BUSY,
        () if is("[055]") => "run `chronoform apply`, which writes the configuration and creates the stanza",
        () if is("[082]") => "the server's log says why `archive_command` fails",
        () if is("[056]") => {
            "pgBackRest connects through the server's socket as the server's own user: let it in by pg_hba.conf"
        }
        () => return Trouble::Program(message),
    };
    Trouble::Refused { message, help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_reason_is_told_without_what_came_before() {
        let words = "pgbackrest failed (exit status: 50): 2026-11-26 21:40:29.714 P00   INFO: backup command begin; ERROR: [050]: unable to acquire lock on file '/l/main-backup.lock': Resource temporarily unavailable; HINT: is another pgBackRest process running?; 2026-11-26 21:40:29.715 P00   INFO: backup command end: aborted with exception [050]";
        assert!(is_busy(&explain(Trouble::Program(words.to_owned()))));
        let Trouble::Refused { message, help } = explain(Trouble::Program(words.to_owned())) else { panic!() };
        assert!(message.starts_with("pgbackrest failed (exit status: 50): [050]: unable"), "{message}");
        assert!(message.ends_with("HINT: is another pgBackRest process running?"), "{message}");
        assert!(help.contains("at work"));
    }
}
