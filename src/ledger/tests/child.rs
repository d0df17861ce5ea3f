//! This test program again, as another process: to be killed, or to be another user.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::*;

const ROLE: &str = "CHRONOFORM_TEST_LEDGER_ROLE";
const FILE: &str = "CHRONOFORM_TEST_LEDGER_FILE";
/// What stands before a line that is meant for the parent: the test harness prints too.
const MARK: char = '@';

/// A command that plays a role on a ledger.
pub(super) fn command(program: &Path, role: &str, ledger: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", "ledger::tests::child::role", "--nocapture", "--test-threads=1"]);
    command.env(ROLE, role).env(FILE, ledger).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

pub(super) fn this_program() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// What a child says, line by line, as long as the line is whole.
pub(super) fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let mut output = BufReader::new(child.stdout.take().unwrap());
    std::iter::from_fn(move || {
        let mut line = String::new();
        output.read_line(&mut line).ok().filter(|_| line.ends_with('\n'))?;
        Some(line)
    })
    .filter_map(|line| line.split_once(MARK).map(|(_, said)| said.trim_end().to_owned()))
}

/// Plays the role that the parent set; in an ordinary run of the tests there is none.
#[test]
fn role() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let path = PathBuf::from(std::env::var_os(FILE).unwrap());
    match role.as_str() {
        "write" => write_for_ever(&path),
        "open" => say(Ledger::open(&path).map_or_else(|refused| refused.code.name.to_owned(), |_| "open".to_owned())),
        "read" => say(read(&path).unwrap_or_else(|refused| format!("{} {}", refused.code.name, refused.message))),
        other => panic!("no role is named {other}"),
    }
}

fn say(line: impl std::fmt::Display) {
    println!("{MARK}{line}");
}

fn read(path: &Path) -> Result<String, Diagnostic> {
    let ledger = Ledger::open_read(path)?;
    let verification = ledger.verify()?;
    Ok(format!("{} runs, {} findings", ledger.log(usize::MAX, None)?.len(), verification.findings.len()))
}

fn write_for_ever(path: &Path) {
    let mut ledger = Ledger::open(path).unwrap();
    let database = ledger.database(&server("market", 16_384), &Admission::First).unwrap();
    let address = retention("market_data");
    loop {
        let run = ledger.begin_run(database, apply()).unwrap();
        for index in 0..3 {
            let id = ledger.start_step(run, &step(&address, index)).unwrap();
            say(format!("started {id}"));
            ledger.finish_step(id, &StepEnd::done()).unwrap();
            say(format!("done {id}"));
        }
        ledger.record_applied(run, &applied(address.clone()), None).unwrap();
        ledger.finish_run(run, RunOutcome::Done, &BTreeMap::new()).unwrap();
    }
}
