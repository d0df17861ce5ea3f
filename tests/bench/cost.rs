//! What a plan costs, beside the queries that it asks.
//!
//! A plan with nothing to do is compared with a `psql` process that runs the very same statements,
//! as `chronoform plan -vvv` prints them: the ratio of the two is what Chronoform itself adds, and
//! does not depend on the machine.
//!
//! `cargo bench` runs the long form, whose numbers are in the README: 1,000 hypertables with 10,000
//! chunks on the server of `CHRONOFORM_TEST_TIMESCALE_URL`, and up to 10,000 plain tables on that of
//! `CHRONOFORM_TEST_POSTGRES_URL` or on a PostgreSQL of this machine. `cargo test` runs the short
//! form, on the embedded server too, and holds it to what no machine's speed changes: round trips,
//! memory, and that time grows no faster than the number of tables. What an import costs is told beside it:
//! its round trips are as many for few tables as for many, and a plan of what it wrote has nothing to do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod fixture;
mod fleet;
mod import;
mod measure;
mod plans;
#[path = "../database/servers.rs"]
mod servers;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use fixture::{Fixture, Site, grouped};
use plans::{Measured, milliseconds};
use servers::{Servers, Tier};

const USAGE: &str = "\
What a plan costs, beside the queries that it asks.

    cargo bench [-- OPTIONS]      the long form
    cargo test --bench cost       the short form

    --short      the short form
    --keep       leave the databases, and use those that an earlier run left
    --rounds N   how often each is timed
    --only WORD  only what has this word in its title
";

/// The most round trips that a plan may make.
const MAX_TRIPS: usize = 12;
/// The most memory that a plan may hold, in bytes.
const MAX_MEMORY: u64 = 100_000_000;

struct Settings {
    long: bool,
    keep: bool,
    rounds: usize,
    only: Option<String>,
}

impl Settings {
    /// `None` where the arguments are none of this program's. `cargo bench` itself gives `--bench`.
    fn read(mut arguments: impl Iterator<Item = String>) -> Option<Self> {
        let mut settings = Self { long: false, keep: false, rounds: 0, only: None };
        let (mut short, mut rounds) = (false, None);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--bench" => settings.long = true,
                "--short" => short = true,
                "--keep" => settings.keep = true,
                "--rounds" => rounds = Some(arguments.next()?.parse().ok()?),
                "--only" => settings.only = Some(arguments.next()?),
                // What test harnesses take and this has no use for.
                "--nocapture" | "--quiet" | "-q" => {}
                _ => return None,
            }
        }
        settings.long &= !short;
        settings.rounds = rounds.unwrap_or(if settings.long { 21 } else { 3 }).max(1);
        Some(settings)
    }

    fn wants(&self, title: &str) -> bool {
        self.only.as_ref().is_none_or(|word| title.contains(word.as_str()))
    }
}

fn main() -> ExitCode {
    let Some(settings) = Settings::read(std::env::args().skip(1)) else {
        eprint!("{USAGE}");
        return ExitCode::FAILURE;
    };
    let servers = Servers::new();
    let result = run(&settings, &servers);
    servers.stop_all();
    match result {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            missed.iter().for_each(|missed| eprintln!("MISSED: {missed}"));
            ExitCode::FAILURE
        }
        Err(why) => {
            eprintln!("the benchmark could not be run: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Everything, one thing after another; gives what was to be held and was not.
fn run(settings: &Settings, servers: &Servers) -> Result<Vec<String>, String> {
    let mut missed = Vec::new();
    if settings.wants("start") {
        start(settings, &mut missed)?;
    }
    if settings.wants("targets") {
        fleet::run(settings, servers, &mut missed)?;
    }
    plans::heading();
    let hypertables: &[Fixture] = if settings.long {
        &[Fixture::hypertables(1000, 10)]
    } else {
        &[Fixture::hypertables(10, 4), Fixture::hypertables(40, 4)]
    };
    series(settings, servers, (Tier::TimescaleUrl, Tier::Embedded), hypertables, &mut missed)?;
    // A build for debugging holds thirty megabytes more before it begins, and its memory is bounded alike.
    let sizes: &[usize] = if settings.long { &[100, 1_000, 10_000] } else { &[100, 400, 1_200] };
    let plain: Vec<Fixture> = sizes.iter().map(|tables| Fixture::plain(*tables)).collect();
    series(settings, servers, (Tier::PostgresUrl, Tier::PostgresNative), &plain, &mut missed)?;
    Ok(missed)
}

/// The program without a database: its start, and a thousand files.
fn start(settings: &Settings, missed: &mut Vec<String>) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let files = if settings.long { 1000 } else { 200 };
    fixture::write_policies(&Fixture::hypertables(files, 1), &folder.path().join("policies"))?;
    let mut commands = [chronoform(&["--version"], folder.path()), chronoform(&["validate"], folder.path())];
    let times = measure::in_turns(&mut commands, settings.rounds)?;
    let titles = ["chronoform --version".to_owned(), format!("chronoform validate, {} files", grouped(files))];
    let limits = [Duration::from_millis(10), Duration::from_millis(200)];
    for ((title, took), limit) in titles.iter().zip(times).zip(limits) {
        println!("{title:<44} {:>10}", milliseconds(took));
        if settings.long && took > limit {
            missed.push(format!("{title} took {}, of {}", milliseconds(took), milliseconds(limit)));
        }
    }
    Ok(())
}

/// The same measured at several sizes, on the first of two servers that is there.
fn series(
    settings: &Settings,
    servers: &Servers,
    (given, own): (Tier, Tier),
    fixtures: &[Fixture],
    missed: &mut Vec<String>,
) -> Result<(), String> {
    let tier = if servers.can_run(given).is_ok() { given } else { own };
    if let Err(why) = servers.can_run(tier) {
        let required = Tier::required()?.contains(&tier);
        eprintln!("{}: NOT MEASURED: {why}", fixtures.first().map(Fixture::title).unwrap_or_default());
        if required {
            missed.push(format!("tier {tier} must run here and did not"));
        }
        return Ok(());
    }
    let mut all: Vec<Measured> = Vec::new();
    let mut imports = Vec::new();
    for fixture in fixtures.iter().filter(|fixture| settings.wants(&fixture.title())) {
        let site = Site::new(*fixture, tier, servers, settings.keep)?;
        let measured = Measured::new(&site, settings.rounds)?;
        measured.print();
        measured.judge(settings.long, missed);
        imports.push(import::run(&site, &measured, missed)?);
        all.push(measured);
    }
    if let [smallest, .., largest] = all.as_slice() {
        growth(smallest, &all, settings.long, missed);
        if smallest.trips() != largest.trips() {
            missed.push(format!("{} round trips became {}", smallest.trips(), largest.trips()));
        }
        if imports.first() != imports.last() {
            missed.push(format!("an import's round trips are not the same for few tables and for many: {imports:?}"));
        }
    }
    Ok(())
}

/// How the time for one more table grows with their number: 1 is linear.
fn growth(smallest: &Measured, all: &[Measured], long: bool, missed: &mut Vec<String>) {
    let each = |larger: &Measured| {
        let tables = larger.tables() - smallest.tables();
        larger.plan.saturating_sub(smallest.plan).as_secs_f64() * 1e6 / tables as f64
    };
    let costs: Vec<f64> = all.iter().skip(1).map(each).collect();
    let shown: Vec<String> = costs.iter().map(|cost| format!("{cost:.0} µs")).collect();
    println!("each table more costs {}", shown.join(", then "));
    // Less than a growth with the square would give, which is the ratio of the sizes.
    let limit = if long { 1.5 } else { 2.5 };
    if let [first, .., last] = costs.as_slice()
        && *last > first.max(1.0) * limit
    {
        missed.push(format!("a table more costs {last:.0} µs among many and {first:.0} µs among few"));
    }
}

/// The program that is measured.
fn chronoform(args: &[&str], folder: &Path) -> std::process::Command {
    measure::command(&PathBuf::from(env!("CARGO_BIN_EXE_chronoform")), args, folder)
}
