//! A plan with nothing to do, beside psql.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::fixture::{Site, grouped};
use crate::servers::cluster::{Place, find_on_path};
use crate::{MAX_MEMORY, MAX_TRIPS, chronoform, measure};

/// How many resources a plan has for which time and memory are bounded.
const MAX_RESOURCES: usize = 5_000;
/// The most that a plan may take, beside psql.
const MAX_RATIO: f64 = 1.5;

/// What was measured of one database.
pub struct Measured {
    title: String,
    server: String,
    tables: usize,
    resources: usize,
    trips: Vec<Trip>,
    /// The whole process, from start to end.
    pub plan: Duration,
    /// psql's, where there is one.
    psql: Option<Duration>,
    memory: Option<u64>,
}

/// The round trips that `-vvv` told of.
pub fn trips(told: &str) -> impl Iterator<Item = Trip> {
    told.lines().filter_map(Trip::read)
}

/// One round trip, as `-vvv` prints it.
#[derive(Debug, Clone, Copy)]
pub struct Trip {
    rows: usize,
    milliseconds: f64,
}

impl Trip {
    /// From `-- trip 3: 12 rows in 4.567 ms`.
    fn read(line: &str) -> Option<Self> {
        let (_, ended) = line.strip_prefix("-- trip ")?.split_once(": ")?;
        let (rows, took) = ended.split_once(" rows in ")?;
        Some(Self { rows: rows.parse().ok()?, milliseconds: took.strip_suffix(" ms")?.parse().ok()? })
    }
}

impl Measured {
    /// Measures a plan with nothing to do.
    pub fn new(site: &Site, rounds: usize) -> Result<Self, String> {
        // Everything goes on record, as it is where plans are made every day.
        let adopted = measure::run(command(site, &["apply", "--auto-approve"]))?;
        if adopted.code != 0 {
            return Err(format!("apply ended with {}:\n{}{}", adopted.code, adopted.out, adopted.err));
        }
        let traced = measure::run(command(site, &["plan", "-vvv", "--detailed-exitcode"]))?;
        if traced.code != 0 {
            return Err(format!("the plan is not empty ({}):\n{}", traced.code, traced.out));
        }
        let script = site.path().join("script.sql");
        fs::write(&script, &traced.err).map_err(|error| error.to_string())?;
        let mut commands = vec![command(site, &["plan"])];
        commands.extend(psql(site, &script));
        let times = measure::in_turns(&mut commands, rounds)?;
        let memory = measure::peak_memory(&mut command(site, &["plan"]))?;
        Ok(Self {
            title: site.fixture.title(),
            server: site.server.clone(),
            tables: site.fixture.tables,
            resources: site.fixture.resources(),
            trips: trips(&traced.err).collect(),
            plan: times.first().copied().unwrap_or_default(),
            psql: times.get(1).copied(),
            memory,
        })
    }

    /// How many tables there were.
    pub fn tables(&self) -> usize {
        self.tables
    }

    /// How many round trips it made.
    pub fn trips(&self) -> usize {
        self.trips.len()
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.plan.as_secs_f64() / self.psql?.as_secs_f64())
    }

    /// One line of the table.
    pub fn print(&self) {
        let rows: usize = self.trips.iter().map(|trip| trip.rows).sum();
        let asking: f64 = self.trips.iter().map(|trip| trip.milliseconds).sum();
        println!(
            "{:<36} {:>9} {:>6} {:>7} {:>9} {:>9} {:>9} {:>6} {:>7}   {}",
            self.title,
            grouped(self.resources),
            self.trips(),
            grouped(rows),
            format!("{asking:.0} ms"),
            milliseconds(self.plan),
            self.psql.map_or("no psql".to_owned(), milliseconds),
            self.ratio().map_or("–".to_owned(), |ratio| format!("{ratio:.2}")),
            self.memory.map_or("–".to_owned(), |bytes| format!("{:.0} MB", bytes as f64 / 1e6)),
            self.server,
        );
    }

    /// Holds it to what is promised. Times only in the long form: a short plan is all start-up, and
    /// not every machine is quiet. Of more than [`MAX_RESOURCES`] it is promised that each costs what each
    /// of fewer does, which is for whoever has measured both.
    pub fn judge(&self, long: bool, missed: &mut Vec<String>) {
        let title = &self.title;
        if self.trips() > MAX_TRIPS || self.trips.is_empty() {
            missed.push(format!("{title}: {} round trips, of {MAX_TRIPS}", self.trips()));
        }
        if self.resources > MAX_RESOURCES {
            return;
        }
        if let Some(memory) = self.memory.filter(|memory| *memory > MAX_MEMORY) {
            missed.push(format!("{title}: {memory} bytes of memory, of {MAX_MEMORY}"));
        }
        if let Some(ratio) = self.ratio().filter(|ratio| long && *ratio > MAX_RATIO) {
            missed.push(format!("{title}: {ratio:.2} times psql, of {MAX_RATIO}"));
        }
    }
}

/// The names of the columns.
pub fn heading() {
    println!(
        "{:<36} {:>9} {:>6} {:>7} {:>9} {:>9} {:>9} {:>6} {:>7}",
        "plan with nothing to do", "resources", "trips", "rows", "asking", "plan", "psql", "ratio", "memory"
    );
}

fn command(site: &Site, args: &[&str]) -> Command {
    let mut command = chronoform(args, site.path());
    command.args(["--url", site.url()]);
    command
}

/// psql with the same statements, its output thrown away as the plan's is.
fn psql(site: &Site, script: &std::path::Path) -> Option<Command> {
    let program = find_on_path("psql").or_else(|| Some(Place::native().ok()?.bin().join("psql")))?;
    let mut command = measure::command(&program, &["-X", "-q", "-A", "-t"], site.path());
    command.args(["-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", site.url(), "-f"]).arg(script);
    Some(command)
}

/// For people.
pub fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
