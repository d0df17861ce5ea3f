//! The flags of `run`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::args::{Paths, hazard};
use crate::core::{Bytes, Hazard, Interval, Operation};

/// `run`
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The sorts of work; all where none is given.
    #[arg(value_name = "OPERATION", value_parser = operation)]
    pub operations: Vec<Operation>,
    /// Policy files or folders; `policies` where none is given and chronoform.yaml names none.
    #[arg(long, value_name = "PATH")]
    pub policies: Vec<PathBuf>,
    /// Only show what is due, what it takes and, with -v, the SQL.
    #[arg(long)]
    pub dry_run: bool,
    /// Begin nothing more after so long, such as `2h` or `90 minutes`; what runs is let run.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub max_runtime: Option<Duration>,
    /// How many chunks to archive at the same time, each on a session of its own; they share what memory one
    /// would have.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, value_parser = jobs)]
    pub jobs: usize,
    /// How much of the rows that are archived to read from the server in a second, by all of --jobs together,
    /// such as `20MB`; as much as can be where nothing is said.
    #[arg(long, value_name = "BYTES/s", value_parser = rate)]
    pub rate: Option<Bytes>,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
    /// Allow a hazard that the plan names: deletes_data, rewrites_table, blocks_writes, blocks_reads,
    /// builds_index, needs_restart or leaves_backups; once for each.
    #[arg(long, value_name = "HAZARD", value_parser = hazard)]
    pub allow: Vec<Hazard>,
    /// How long to wait for another apply or run to end, such as `2 minutes`; a number alone is seconds.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = waiting)]
    pub lock_timeout: Duration,
    /// How long an action may wait for locks that other sessions hold, such as `5 minutes`; a number alone
    /// is seconds. It tries for two seconds at a time, so that nobody queues behind it for longer.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = waiting)]
    pub patience: Duration,
}

impl RunArgs {
    /// Where the policies are.
    pub fn paths(&self) -> Paths {
        Paths { paths: self.policies.clone() }
    }
}

fn operation(word: &str) -> Result<Operation, String> {
    Operation::read(word).ok_or_else(|| {
        let known: Vec<&str> = Operation::ALL.iter().map(|operation| operation.as_str()).collect();
        format!("the operations are {}", known.join(", "))
    })
}

/// A length of time as PostgreSQL writes it; months have no one length.
fn duration(text: &str) -> Result<Duration, String> {
    let interval = Interval::parse(text).map_err(|error| error.to_string())?;
    if interval.months != 0 || !interval.is_positive() {
        return Err("write it in days, hours or smaller units, such as `2 hours`".to_owned());
    }
    let micros = interval.approximate_micros();
    u64::try_from(micros).map(Duration::from_micros).map_err(|_| "it is too long".to_owned())
}

/// How long to wait: the same, nothing at all, or a number of seconds.
pub(super) fn waiting(text: &str) -> Result<Duration, String> {
    text.trim().parse().map(Duration::from_secs).or_else(|_| duration(text))
}

/// Each is a connection, and a thread: a number beyond this is a slip.
const MOST_JOBS: usize = 64;

fn jobs(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|number| (1..=MOST_JOBS).contains(number));
    number.ok_or_else(|| format!("write a number from 1 to {MOST_JOBS}"))
}

/// A size, perhaps with what it is per.
fn rate(text: &str) -> Result<Bytes, String> {
    let bytes = text.trim().trim_end_matches("/s").parse::<Bytes>().ok().filter(|bytes| bytes.0 > 0);
    bytes.ok_or_else(|| "write a size for a second, such as `20MB` or `512kB/s`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_a_length_of_time_or_a_number_of_seconds() {
        let seconds = |text| waiting(text).map(|wait| wait.as_secs());
        assert_eq!(["0", "45", "30s", "2 minutes", "PT1H"].map(seconds), [0, 45, 30, 120, 3600].map(Ok));
        assert_eq!(waiting("1500 ms"), Ok(Duration::from_millis(1500)));
        assert!(["", "-3", "-3s", "1 month", "long"].into_iter().all(|wrong| waiting(wrong).is_err()));
    }

    #[test]
    fn a_rate_is_a_size_for_a_second() {
        assert_eq!(rate("20MB"), Ok(Bytes(20 << 20)));
        assert_eq!(rate("512 kB/s"), Ok(Bytes(512 << 10)));
        assert!(["0B", "20", "fast", "-1MB", "20MB/min"].into_iter().all(|wrong| rate(wrong).is_err()));
        assert_eq!([jobs("1"), jobs("64")], [Ok(1), Ok(64)]);
        assert!(["0", "65", "many", "-1"].into_iter().all(|wrong| jobs(wrong).is_err()));
    }
}
