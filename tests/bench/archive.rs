//! What it costs to bring a table into an archive, beside reading it and beside others who do.
//!
//! 4 million rows of five columns in 20 chunks, half of them in the columnstore where the server has one,
//! become zstd Parquet: by this crate without proving the files, by it with every file brought to the disk, read
//! back and compared, by ADBC with PyArrow or Polars; beside `psql`, which throws a binary COPY of them away. All in
//! turns, in one run, each a process of its own that times itself: what it loads first does not count.
//!
//! The server is that of `CHRONOFORM_TEST_TIMESCALE_URL`, or the Apache edition of this machine, which has no
//! columnstore. The peers run in the Python that `CHRONOFORM_BENCH_PYTHON` names, which has
//! `adbc-driver-postgresql`, `pyarrow` and `polars` from PyPI; without it they do not run, and nothing is held
//! against them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

#[allow(dead_code, reason = "the other benchmark uses more of it")]
mod measure;
#[path = "../database/servers.rs"]
mod servers;

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;

use chronoform::core::QualifiedName;
use chronoform::ops::archive::export::{Source, export, facts};
use chronoform::ops::archive::{Archive, DataFile, Options, sql};
use chronoform::pg::{ConnectOptions, Session};
use servers::{Db, Servers, Tier};

const USAGE: &str = "\
What it costs to bring a table into an archive.

    cargo bench --bench archive [-- OPTIONS]

    --rows N     so many rows instead of 4,000,000
    --rounds N   how often each is timed, 3 times if not said
";

/// The most memory that an export may hold, in bytes.
const MAX_MEMORY: f64 = 150e6;
/// How much more rows a second than the fastest peer, where nothing is proved.
const MIN_LEAD: f64 = 1.3;
/// The least decoded data that one core proves in a second, in bytes.
const MIN_PROVED: f64 = 500e6;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ended = match words.as_slice() {
        ["--export", url, folder, proves] => child(url, Path::new(folder), *proves == "proved"),
        ["--prove", folder] => prove(Path::new(folder)),
        _ => whole(&words),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("the benchmark could not be run: {why}");
            ExitCode::FAILURE
        }
    }
}

/// What one way did: seconds, and the most memory in bytes.
#[derive(Clone, Copy)]
struct Cost {
    seconds: f64,
    memory: f64,
}

fn whole(words: &[&str]) -> Result<bool, String> {
    let (mut rows, mut rounds) = (4_000_000, 3);
    for pair in words.chunks(2) {
        match pair {
            ["--rows", number] => rows = number.parse().map_err(|_| USAGE)?,
            ["--rounds", number] => rounds = number.parse().map_err(|_| USAGE)?,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let servers = Servers::new();
    let tier = if servers.can_run(Tier::TimescaleUrl).is_ok() { Tier::TimescaleUrl } else { Tier::Apache };
    let db = servers.db(tier)?;
    let held = on(&db, rows, rounds);
    drop(db);
    servers.stop_all();
    held
}

fn on(db: &Db, rows: u64, rounds: usize) -> Result<bool, String> {
    println!("{rows} rows, 20 chunks, on {}", db.server().description);
    fill(db, rows);
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let here = std::env::current_exe().map_err(|error| error.to_string())?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let own = |proves: &str| {
        let mut command = Command::new(&here);
        command.args(["--export", db.url(), &path(proves), proves]);
        command
    };
    let mut ways = vec![("exported", own("unproved")), ("exported and proved", own("proved"))];
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers.py");
    match std::env::var_os("CHRONOFORM_BENCH_PYTHON") {
        None => println!("the peers DID NOT RUN: CHRONOFORM_BENCH_PYTHON is not set"),
        Some(python) => {
            for (title, way) in [
                ("ADBC, PyArrow in batches", "batches"),
                ("ADBC, PyArrow at once", "table"),
                ("Polars by ADBC", "polars"),
            ] {
                let mut command = Command::new(&python);
                command.arg(&peers).args([way, db.url(), "public.ticks", &path(&format!("{way}.parquet"))]);
                ways.push((title, command));
            }
        }
    }
    let mut costs = vec![Vec::new(); ways.len()];
    let mut limits = Vec::new();
    for round in 0..=rounds {
        let limit = read_away(db)?;
        let each: Vec<Cost> = ways.iter_mut().map(|(_, command)| cost(command)).collect::<Result<_, _>>()?;
        // The first round warms everybody's caches.
        if round > 0 {
            limits.push(limit);
            costs.iter_mut().zip(each).for_each(|(costs, cost)| costs.push(cost));
        }
    }
    let limit = median(limits);
    println!("{:<28} {:>8} {:>12} {:>9} {:>9}", "", "seconds", "rows/s", "of limit", "memory");
    println!("{:<28} {limit:>8.2} {:>12.0} {:>9.2} {:>9}", "psql, COPY thrown away", rows as f64 / limit, 1.0, "");
    let costs: Vec<Cost> = costs.iter().map(|costs| middle(costs)).collect();
    for ((title, _), cost) in ways.iter().zip(&costs) {
        let (speed, of_limit, memory) = (rows as f64 / cost.seconds, cost.seconds / limit, cost.memory / 1e6);
        println!("{title:<28} {:>8.2} {speed:>12.0} {of_limit:>9.2} {memory:>6.0} MB", cost.seconds);
    }
    let mut prove = Command::new(&here);
    prove.args(["--prove", &path("proved")]);
    let proved = cost(&mut prove)?;
    // What comes back is bytes a second, and no time.
    println!("read again and proved, one core: {:.0} MB/s of decoded data", proved.seconds / 1e6);
    Ok(held(&costs, proved.seconds))
}

/// Whether everything is as it is promised; what is not is said.
fn held(costs: &[Cost], proved: f64) -> bool {
    let [plain, checked, peers @ ..] = costs else { return false };
    let mut missed = Vec::new();
    let fastest = peers.iter().map(|peer| peer.seconds).fold(f64::INFINITY, f64::min);
    if let Some(batches) = peers.first() {
        println!("exported: {:.2} times the fastest peer's rows/s", fastest / plain.seconds);
        println!(
            "exported and proved: {:.2} times those of ADBC with PyArrow in batches",
            batches.seconds / checked.seconds
        );
        if fastest / plain.seconds < MIN_LEAD {
            missed.push(format!("exported: {:.2} of {MIN_LEAD} times the fastest peer", fastest / plain.seconds));
        }
        if checked.seconds > batches.seconds {
            missed.push(format!("proved takes {:.2} s, of {:.2} s", checked.seconds, batches.seconds));
        }
    }
    for cost in [plain, checked] {
        if cost.memory > MAX_MEMORY {
            missed.push(format!("{:.0} MB of memory, of {:.0} MB", cost.memory / 1e6, MAX_MEMORY / 1e6));
        }
    }
    if proved < MIN_PROVED {
        missed.push(format!("{:.0} MB/s proved, of {:.0} MB/s", proved / 1e6, MIN_PROVED / 1e6));
    }
    missed.iter().for_each(|missed| eprintln!("MISSED: {missed}"));
    missed.is_empty()
}

fn middle(costs: &[Cost]) -> Cost {
    let of = |which: fn(&Cost) -> f64| median(costs.iter().map(which).collect());
    Cost { seconds: of(|cost| cost.seconds), memory: of(|cost| cost.memory) }
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}

/// 20 chunks of a day; the older half compressed, where the server can.
fn fill(db: &Db, rows: u64) {
    db.run(&format!(
        "CREATE TABLE public.ticks (time timestamptz NOT NULL, symbol text NOT NULL, price float8, volume bigint, note text);
         SELECT create_hypertable('public.ticks', by_range('time', INTERVAL '1 day'));
         INSERT INTO public.ticks
         SELECT timestamptz '2026-01-01 00:00+00' + i * (INTERVAL '20 days' / {rows}), 'SYM' || i % 50,
                100 + 10 * sin(i::float8 / 1000) + random(), (random() * 10000)::bigint,
                CASE WHEN i % 10 = 0 THEN 'order ' || i % 1000 END
           FROM generate_series(0, {rows} - 1) AS i"
    ));
    if db.tier().has_policies() {
        db.run(
            "ALTER TABLE public.ticks SET (timescaledb.compress, timescaledb.compress_segmentby = 'symbol');
             SELECT compress_chunk(c) FROM show_chunks('public.ticks', older_than => timestamptz '2026-01-11 00:00+00') AS c",
        );
    }
    db.run("VACUUM ANALYZE public.ticks");
}

/// How long it takes psql to read it all and throw it away, in seconds.
fn read_away(db: &Db) -> Result<f64, String> {
    let mut command = Command::new("psql");
    command.args(["-qXd", db.url(), "-c", "\\copy (SELECT * FROM public.ticks) TO '/dev/null' (FORMAT binary)"]);
    measure::time(&mut command).map(|took| took.as_secs_f64())
}

/// Runs what times itself: the numbers of its last line.
fn cost(command: &mut Command) -> Result<Cost, String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.lines().last().unwrap_or_default().split_whitespace().map(str::parse::<f64>);
    match (output.status.success(), numbers.next(), numbers.next()) {
        (true, Some(Ok(seconds)), Some(Ok(memory))) => Ok(Cost { seconds, memory }),
        _ => Err(format!("{command:?}: {}{}", text, String::from_utf8_lossy(&output.stderr))),
    }
}

/// Exports every chunk; prints the seconds and the most memory.
fn child(url: &str, folder: &Path, proves: bool) -> Result<bool, String> {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let endpoint =
        ConnectOptions::from_environment(Some(url.to_owned())).resolve().map_err(|error| format!("{error:?}"))?;
    let started = Instant::now();
    let mut session = Session::connect(&endpoint).map_err(|error| format!("{error:?}"))?;
    let chunks = "SELECT n.nspname, c.relname FROM public.show_chunks('public.ticks') AS s (oid)
                    JOIN pg_catalog.pg_class AS c ON c.oid = s.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace";
    let chunks = session.query_text(chunks).map_err(|error| error.to_string())?;
    for (number, chunk) in chunks.iter().enumerate() {
        let text = |column| chunk.text(column).map_err(|error| error.to_string());
        let path = folder.join(format!("{number}.parquet"));
        one(&mut session, &QualifiedName::new(text("nspname")?, text("relname")?), &path, proves)?;
    }
    println!("{} {}", started.elapsed().as_secs_f64(), high_water());
    Ok(true)
}

fn one(session: &mut Session, chunk: &QualifiedName, path: &Path, proves: bool) -> Result<(), String> {
    let text = |error: &dyn std::fmt::Debug| format!("{chunk}: {error:?}");
    session.batch("BEGIN ISOLATION LEVEL REPEATABLE READ").map_err(|error| text(&error))?;
    session.batch(&sql::settings().map_err(|error| text(&error))?).map_err(|error| text(&error))?;
    let facts = facts(session, chunk).map_err(|error| text(&error))?;
    let source = Source { relation: chunk, facts: &facts, about: &[], options: Options::default() };
    let open = || Ok(BufWriter::with_capacity(1 << 20, File::create(path)?));
    let (out, exported) = export(session, source, open, |_| Ok(())).map_err(|error| text(&error))?;
    let file = out.into_inner().map_err(|error| text(&error))?;
    session.batch("COMMIT").map_err(|error| text(&error))?;
    if proves {
        file.sync_all().map_err(|error| text(&error))?;
        let found = archive(path)?.look(2).map_err(|error| text(&error))?;
        if found.rows != exported.written.rows || found.evidence != exported.written.evidence {
            return Err(format!("{chunk}: the file differs"));
        }
    }
    Ok(())
}

fn archive(path: &Path) -> Result<Archive<DataFile>, String> {
    let file = File::open(path).and_then(DataFile::new).map_err(|error| error.to_string())?;
    Archive::open(file).map_err(|error| error.to_string())
}

/// Reads every file again on one core; prints the bytes of rows a second.
fn prove(folder: &Path) -> Result<bool, String> {
    let (mut bytes, mut seconds) = (0, 0.0);
    for entry in std::fs::read_dir(folder).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let archive = archive(&path)?;
        let (stream, _) = archive.copy_to(Counting(0)).map_err(|error| error.to_string())?;
        bytes += stream.0;
        let started = Instant::now();
        archive.look(1).map_err(|error| error.to_string())?;
        seconds += started.elapsed().as_secs_f64();
    }
    println!("{} {}", bytes as f64 / seconds, high_water());
    Ok(true)
}

/// How much was written.
struct Counting(u64);

impl std::io::Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The most memory that this process held, in bytes.
fn high_water() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
