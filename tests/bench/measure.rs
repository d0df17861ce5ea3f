//! Processes, timed from their start to their end, and compared in turns.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a process did.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: i32,
    /// Standard output and standard error, where they were wanted.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// A command in a folder, without the environment that would change what it does.
pub fn command(program: &Path, args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(folder).stdin(Stdio::null());
    for variable in ["CHRONOFORM_LEDGER", "DATABASE_URL", "PGOPTIONS", "PSQLRC"] {
        command.env_remove(variable);
    }
    command
}

/// Runs it and keeps what it says.
pub fn run(mut command: Command) -> Result<Ran, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    Ok(Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// How long it takes; what it says is thrown away, and it must succeed.
pub fn time(command: &mut Command) -> Result<Duration, String> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let started = Instant::now();
    let status = command.status().map_err(|error| format!("{command:?}: {error}"))?;
    let took = started.elapsed();
    if status.success() { Ok(took) } else { Err(format!("{command:?} ended with {status}")) }
}

/// The most memory that a process held, in bytes; `None` where the system does not tell.
pub fn peak_memory(command: &mut Command) -> Result<Option<u64>, String> {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
    let file = format!("/proc/{}/status", child.id());
    let mut peak = None;
    // The high-water mark goes with the process, so it is read until then.
    while child.try_wait().map_err(|error| error.to_string())?.is_none() {
        let status = std::fs::read_to_string(&file).unwrap_or_default();
        peak = high_water(&status).max(peak);
        thread::sleep(Duration::from_micros(200));
    }
    Ok(peak)
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The middle of several times.
pub fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Times several commands in turns, so that whatever else the machine does is spread over all of
/// them; gives the median of each.
pub fn in_turns(commands: &mut [Command], rounds: usize) -> Result<Vec<Duration>, String> {
    let mut times = vec![Vec::new(); commands.len()];
    for command in commands.iter_mut() {
        time(command)?;
    }
    for _ in 0..rounds {
        for (command, times) in commands.iter_mut().zip(&mut times) {
            times.push(time(command)?);
        }
    }
    Ok(times.iter_mut().map(|times| median(times)).collect())
}
