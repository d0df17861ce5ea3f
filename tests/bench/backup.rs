//! What Chronoform adds to a backup: planning, checking, recording.
//!
//! A database of 2 GB is backed up by both engines, in turns with a bare `pg_basebackup` that compresses with
//! zstd as the native engine has it do. Each engine's own programs are timed where Chronoform starts them: what
//! is left of the command's time is Chronoform's, and with it all that it checks by itself, which for the native
//! engine is the whole backup, read back.
//!
//! The server is a PostgreSQL of this machine, started and stopped here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]
#![allow(clippy::indexing_slicing, reason = "what the tests share with it does")]

#[allow(dead_code, reason = "tests use more of it")]
#[path = "../database/cli.rs"]
mod cli;
#[allow(dead_code, reason = "tests use more of it")]
#[path = "../database/backup/ground.rs"]
mod ground;
#[path = "../database/servers.rs"]
mod servers;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use cli::executable;
use ground::Ground;
use servers::cluster::{Place, find_on_path};

const USAGE: &str = "\
What Chronoform adds to a backup.

    cargo bench --bench backup [-- OPTIONS]

    --megabytes N   so large a database instead of 2,000 MB
    --rounds N      how often each is timed, 3 times if not said
";

/// The most of a backup's time that may be Chronoform's.
const MAX_SHARE: f64 = 0.05;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match whole(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("the benchmark could not be run: {why}");
            ExitCode::FAILURE
        }
    }
}

fn whole(words: &[&str]) -> Result<bool, String> {
    let (mut megabytes, mut rounds) = (2000, 3);
    for pair in words.chunks(2) {
        match pair {
            ["--megabytes", number] => megabytes = number.parse().map_err(|_| USAGE)?,
            ["--rounds", number] => rounds = number.parse().map_err(|_| USAGE)?,
            _ => return Err(USAGE.to_owned()),
        }
    }
    let mut ground = Ground::new(&Place::native()?, &["max_wal_size = 4GB", "wal_level = replica"])?;
    // pgBackRest comes through the socket as the server's own user.
    let file = ground.cluster.data().join("pg_hba.conf");
    let hba = fs::read_to_string(&file).map_err(|error| error.to_string())?;
    fs::write(&file, format!("local all all trust\n{hba}")).map_err(|error| error.to_string())?;
    fill(&ground, megabytes);
    println!("{:<36} {:>8} {:>9} {:>10} {:>8}", "", "seconds", "of bare", "Chronoform", "share");
    let mut held = native(&mut ground, rounds)?;
    if find_on_path("pgbackrest").is_some() {
        held &= pgbackrest(&mut ground, rounds)?;
    } else {
        println!("pgBackRest DID NOT RUN: it is not installed");
    }
    Ok(held)
}

/// Rows of a time series, as large as is wanted; all that they need is on the disk at the end.
fn fill(ground: &Ground, megabytes: u64) {
    let mut client = ground.connect();
    // One row and its place in the table take 104 bytes.
    let rows = megabytes * 1_000_000 / 104;
    client
        .batch_execute(&format!(
            "CREATE TABLE public.ticks AS
             SELECT timestamptz '2026-01-01 00:00+00' + i * interval '1 second' AS time, 'SYM' || i % 50 AS symbol,
                    100 + 10 * sin(i::float8 / 1000) + random() AS price, (random() * 10000)::bigint AS volume,
                    md5(i::text) AS note
               FROM generate_series(1, {rows}) AS i"
        ))
        .unwrap();
    for each in ["VACUUM (FREEZE, ANALYZE) public.ticks", "CHECKPOINT"] {
        client.batch_execute(each).unwrap();
    }
    let row = client.query_one("SELECT pg_database_size(current_database()), version()", &[]).unwrap();
    let (bytes, version): (i64, String) = (row.get(0), row.get(1));
    println!("{:.2} GB, {}", bytes as f64 / 1e9, version.split_once(" on ").map_or(version.as_str(), |parts| parts.0));
}

fn native(ground: &mut Ground, rounds: usize) -> Result<bool, String> {
    let programs = timed_programs(ground);
    let text = format!(
        "kind: backup\nname: main\nrepository: {{path: {}}}\nwal: {{max_lag: 30 seconds, program: {}}}\n\
         programs: {programs}\nschedule: {{full: '0 1 * * 0'}}\n",
        ground.inside("repository"),
        ground.inside("chronoform"),
    );
    made_true(ground, &text);
    measure(ground, "native", rounds)
}

fn pgbackrest(ground: &mut Ground, rounds: usize) -> Result<bool, String> {
    let text = format!(
        "kind: backup\nname: main\nengine: pgbackrest\nrepository: {{path: {}}}\n\
         pgbackrest: {{folder: {}, program: {}}}\nwal: {{max_lag: 30 seconds}}\nprograms: {}\n\
         schedule: {{full: '0 1 * * 0'}}\n",
        ground.inside("rested"),
        ground.inside("rest"),
        ground.inside("timed/pgbackrest"),
        ground.place.programs().display(),
    );
    made_true(ground, &text);
    measure(ground, "pgBackRest", rounds)
}

/// The server's programs, where those that make a backup write down how long they took.
fn timed_programs(ground: &Ground) -> String {
    let folder = ground.outside("timed");
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(ground.place.bin()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_name() != "pg_basebackup" {
            std::os::unix::fs::symlink(entry.path(), folder.join(entry.file_name())).unwrap();
        }
    }
    timed(ground, &ground.place.programs().join("pg_basebackup"));
    if let Some(program) = find_on_path("pgbackrest") {
        timed(ground, &program);
    }
    ground.inside("timed")
}

fn timed(ground: &Ground, program: &Path) {
    let name = program.file_name().unwrap().to_str().unwrap();
    // What the server starts by itself, to archive its WAL, is nobody's wait.
    let text = format!(
        "#!/bin/bash\ncase \" $* \" in *' archive-push '*) exec {program} \"$@\";; esac\n\
         began=$EPOCHREALTIME; {program} \"$@\"; code=$?; echo \"$began $EPOCHREALTIME\" >> {times}; exit $code\n",
        program = program.display(),
        times = ground.inside("times"),
    );
    let script = ground.outside(&format!("{name}.sh"));
    fs::write(&script, text).unwrap();
    executable(&script, &ground.outside("timed").join(name));
}

fn made_true(ground: &mut Ground, policy: &str) {
    fs::write(ground.outside("policies/backup.yaml"), policy).unwrap();
    ground.run(&["apply", "--auto-approve", "--allow", "needs_restart"]).expect(0);
    ground.cluster.stop();
    ground.cluster.launch().unwrap();
    // With the port, pgBackRest's configuration changes.
    ground.run(&["apply", "--auto-approve"]).expect(0);
}

fn measure(ground: &Ground, engine: &str, rounds: usize) -> Result<bool, String> {
    let (mut bare, mut whole, mut programs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let alone = bare_backup(ground)?;
        let _ = fs::remove_file(ground.outside("times"));
        let began = Instant::now();
        ground.run(&["backup", "run", "--type", "full", "--auto-approve"]).expect(0);
        let took = began.elapsed().as_secs_f64();
        // The first round warms the server's caches.
        if round > 0 {
            bare.push(alone);
            whole.push(took);
            programs.push(seconds(&fs::read_to_string(ground.outside("times")).map_err(|error| error.to_string())?)?);
        }
    }
    let own = median(whole.iter().zip(&programs).map(|(whole, programs)| whole - programs).collect());
    let (bare, whole) = (median(bare), median(whole));
    println!("{:<36} {bare:>8.2} {:>9.2}", "pg_basebackup by itself", 1.0);
    let (title, of_bare, share) = (format!("chronoform backup run, {engine}"), whole / bare, own / whole);
    println!("{title:<36} {whole:>8.2} {of_bare:>9.2} {own:>9.2}s {:>6.1} %", share * 100.0);
    if share > MAX_SHARE {
        eprintln!(
            "MISSED: {engine}: {:.1} % of the time is Chronoform's, of {:.0} %",
            share * 100.0,
            MAX_SHARE * 100.0
        );
    }
    Ok(share <= MAX_SHARE)
}

/// `pg_basebackup`, as somebody would run it by hand.
fn bare_backup(ground: &Ground) -> Result<f64, String> {
    let to = ground.outside("bare");
    let _ = fs::remove_dir_all(&to);
    let mut command: Command = ground.place.command(ground.place.programs().join("pg_basebackup"));
    command.args(["--format=tar", "--compress=client-zstd:level=3", "--checkpoint=fast", "--wal-method=none"]);
    command.arg("--pgdata").arg(ground.inside("bare")).arg("--dbname").arg(ground.cluster.url());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().map_err(|error| error.to_string())?;
    let took = began.elapsed().as_secs_f64();
    fs::remove_dir_all(&to).map_err(|error| error.to_string())?;
    if status.success() { Ok(took) } else { Err(format!("pg_basebackup: {status}")) }
}

/// How long programs ran, one after another.
fn seconds(lines: &str) -> Result<f64, String> {
    let mut sum = 0.0;
    for line in lines.lines() {
        let mut times = line.split(' ').map(str::parse::<f64>);
        match (times.next(), times.next()) {
            (Some(Ok(began)), Some(Ok(ended))) => sum += ended - began,
            _ => return Err(format!("no times: {line}")),
        }
    }
    Ok(sum)
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or_default()
}
