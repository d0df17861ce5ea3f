//! The tests that need a database: every case of `tests/cases`, and the properties that hold for
//! all of them, on every server that this machine can run.
//!
//! `CHRONOFORM_TEST_REQUIRE` lists tiers without which the run fails; whatever tier could not run
//! is said loudly at the end. `CHRONOFORM_BLESS=1` rewrites the golden plans.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod archive;
mod archive_again;
mod archive_alone;
mod archive_codec;
mod archive_damaged;
mod archive_faults;
mod archive_jobs;
mod archive_meanwhile;
mod archive_merged;
mod archive_numbered;
mod archive_restore;
mod archive_s3;
mod archive_sealed;
mod archive_times;
mod archive_unchanged;
mod archive_verify;
mod backup;
mod cases;
mod cli;
mod connect;
mod crash;
mod demo;
mod detection;
mod docs;
mod faults;
mod fleet;
mod folders;
mod guardrails;
mod import;
mod injection;
mod meanwhile;
mod pooler;
mod property;
mod remake;
mod roundtrips;
mod run;
mod s3;
mod secrets;
mod servers;
mod shipped;
mod trouble;

use std::collections::BTreeMap;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use servers::{PGBACKREST, POOLER, Servers, Tier};

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most time is the servers' own; a few tests at once keep both cores busy.
    arguments.test_threads.get_or_insert(4);
    let servers = Servers::new();
    let mut unable: BTreeMap<Tier, String> = BTreeMap::new();
    let mut trials: Vec<Trial> = Vec::new();
    for tier in Tier::ALL {
        match servers.can_run(tier) {
            Ok(()) => trials.extend(all(tier, &servers)),
            Err(why) => {
                unable.insert(tier, why);
            }
        }
    }
    let counts = count(&trials);
    let trials = in_turns(trials);
    let conclusion = libtest_mimic::run(&arguments, trials);
    servers.stop_all();
    let missing = report(&counts, &unable, arguments.list);
    if missing { ExitCode::FAILURE } else { conclusion.exit_code() }
}

/// The tests on the server that has one session, each followed by one on another server: while one of the first
/// has that session, the others of them could only wait for it.
fn in_turns(trials: Vec<Trial>) -> Vec<Trial> {
    let waits = |trial: &Trial| trial.name().starts_with(&format!("{}::", Tier::Embedded));
    let (one_by_one, others): (Vec<Trial>, Vec<Trial>) = trials.into_iter().partition(waits);
    let (mut one_by_one, mut others) = (one_by_one.into_iter(), others.into_iter());
    std::iter::from_fn(|| {
        let pair = [one_by_one.next(), others.next()];
        pair.iter().any(Option::is_some).then_some(pair)
    })
    .flatten()
    .flatten()
    .collect()
}

/// Every test of one tier.
fn all(tier: Tier, servers: &Servers) -> Vec<Trial> {
    let mut trials = cases::trials(tier, servers);
    trials.extend(archive::trials(tier, servers));
    trials.extend(archive_again::trials(tier, servers));
    trials.extend(archive_alone::trials(tier, servers));
    trials.extend(archive_damaged::trials(tier, servers));
    trials.extend(archive_faults::trials(tier, servers));
    trials.extend(archive_jobs::trials(tier, servers));
    trials.extend(archive_meanwhile::trials(tier, servers));
    trials.extend(archive_merged::trials(tier, servers));
    trials.extend(archive_numbered::trials(tier, servers));
    trials.extend(archive_unchanged::trials(tier, servers));
    trials.extend(archive_restore::trials(tier, servers));
    trials.extend(archive_times::trials(tier, servers));
    trials.extend(archive_verify::trials(tier, servers));
    trials.extend(archive_codec::trials(tier, servers));
    trials.extend(archive_s3::trials(tier, servers));
    trials.extend(archive_sealed::trials(tier, servers));
    trials.extend(backup::trials(tier, servers));
    trials.extend(backup::pgbackrest::trials(tier, servers));
    trials.extend(detection::trials(tier, servers));
    trials.extend(folders::trials(tier, servers));
    trials.extend(injection::trials(tier, servers));
    trials.extend(crash::trials(tier, servers));
    trials.extend(docs::trials(tier, servers));
    trials.extend(fleet::trials(tier, servers));
    trials.extend(demo::trials(tier, servers));
    trials.extend(guardrails::trials(tier, servers));
    trials.extend(faults::trials(tier, servers));
    trials.extend(connect::trials(tier, servers));
    trials.extend(pooler::trials(tier, servers));
    trials.extend(property::trials(tier, servers));
    trials.extend(remake::trials(tier, servers));
    trials.extend(meanwhile::trials(tier, servers));
    trials.extend(roundtrips::trials(tier, servers));
    trials.extend(run::trials(tier, servers));
    trials.extend(secrets::trials(tier, servers));
    trials.extend(shipped::trials(tier, servers));
    trials.extend(trouble::trials(tier, servers));
    trials.extend(import::trials(tier, servers));
    trials
}

fn count(trials: &[Trial]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for trial in trials {
        let tier = trial.name().split("::").next().unwrap_or_default().to_owned();
        *counts.entry(tier).or_default() += 1;
    }
    counts
}

/// Says what ran and what did not; gives whether a required tier is among the latter.
fn report(counts: &BTreeMap<String, usize>, unable: &BTreeMap<Tier, String>, listing: bool) -> bool {
    if listing {
        return false;
    }
    let required = match Tier::required() {
        Ok(required) => required,
        Err(why) => {
            eprintln!("{why}");
            return true;
        }
    };
    let mut missing = false;
    for tier in Tier::ALL {
        match unable.get(&tier) {
            None => eprintln!("tier {tier}: {} tests", counts.get(tier.name()).copied().unwrap_or(0)),
            Some(why) if required.contains(&tier) => {
                missing = true;
                eprintln!("tier {tier}: MUST RUN HERE AND DID NOT: {why}");
            }
            Some(why) => eprintln!("tier {tier}: DID NOT RUN: {why}"),
        }
    }
    let programs = [(POOLER, pooler::unable()), (PGBACKREST, backup::pgbackrest::unable())];
    for (name, why) in programs.into_iter().filter_map(|(name, why)| Some((name, why?))) {
        let required = servers::required_names().iter().any(|required| required == name);
        missing |= required;
        eprintln!("{name}: {}: {why}", if required { "MUST RUN HERE AND DID NOT" } else { "DID NOT RUN" });
    }
    missing
}
