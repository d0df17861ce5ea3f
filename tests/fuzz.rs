//! What anybody may hand the program: policy files, project files and plan files, damaged in every way
//! that chance finds. Whatever they hold, they are read or refused: nothing panics, nothing takes
//! long, nothing takes much room.
//!
//! Each input comes from one number and the files of this repository. `CHRONOFORM_TEST_SEED=0x…` runs
//! one alone; `CHRONOFORM_TEST_LONG=1` goes on for ten minutes a target from a seed of the day's own.
//! The input at hand is kept in the folder of temporary files, for the case that the whole process
//! ends with it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::print_stderr)]

#[path = "database/property/random.rs"]
#[allow(dead_code)]
mod random;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chronoform::diag::Sources;
use chronoform::load::{self, Variables};
use chronoform::plan::Plan;

use random::Random;

/// How long each target is tried in an ordinary run.
const BRIEFLY: Duration = Duration::from_secs(12);
/// The same in a long one.
const LONG: Duration = Duration::from_secs(600);
/// How long one input may take, without optimisation and on a busy machine.
const SLOW: Duration = Duration::from_secs(10);
/// How much memory all of them may take at most, in KiB.
const MUCH: u64 = 2 << 20;
/// What is put into a text beside parts of others.
const WORDS: [&str; 44] = [
    "kind: table",
    "name: x",
    "\n---\n",
    "{",
    "}",
    "[",
    "]",
    "&a",
    "*a",
    "<<: *a",
    "!!binary",
    "!x",
    "|",
    ">-",
    "\"",
    "'",
    "\\",
    "\t",
    "\r",
    "\u{0}",
    "\u{feff}",
    "\u{202e}",
    "${var.x}",
    "${env.HOME}",
    "${",
    "\u{10ffff}",
    "é",
    ": ",
    "- ",
    "? ",
    "# ",
    "%YAML 1.1",
    "null",
    "~",
    "1e999",
    "-0",
    "0x7fffffffffffffff",
    "9223372036854775808",
    "99999999999999999999 years",
    "P1Y2M",
    "true",
    "\"\\ud800\"",
    "when: size(",
    "))))((((",
];

/// The files of some folders that end so.
fn corpus(folders: &[&str], ending: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| root.join(folder)).collect();
    while let Some(folder) = open.pop() {
        let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned());
            }
        }
    }
    assert!(found.len() > 5, "{folders:?} hold no {ending}");
    found
}

/// One damaged text.
fn damaged(random: &mut Random, corpus: &[String]) -> String {
    let mut bytes = random.pick(corpus).clone().into_bytes();
    for _ in 0..1 + random.below(6) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(60)).min(bytes.len());
        match random.below(9) {
            0 => _ = bytes.drain(at..end),
            1 => bytes.truncate(at),
            2 => {
                let part = bytes[at..end].to_vec();
                let times = 1 + random.below(40);
                bytes.splice(at..at, part.repeat(times));
            }
            3 => {
                let other = random.pick(corpus).as_bytes();
                let from = random.below(other.len() + 1);
                let to = (from + random.below(400)).min(other.len());
                bytes.splice(at..end, other[from..to].to_vec());
            }
            4 => {
                let word = random.pick(&WORDS).repeat(1 + random.below(3));
                bytes.splice(at..end, word.into_bytes());
            }
            5 => {
                // Deep nesting, opened and perhaps never closed.
                let open = *random.pick(&["[", "{a: ", "- ", "((", "{\"a\":["]);
                let depth = 1 + random.below(3000);
                bytes.splice(at..at, open.repeat(depth).into_bytes());
            }
            6 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            7 => {
                // A line at another place.
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let mut lines: Vec<&str> = text.split('\n').collect();
                let line = lines.remove(random.below(lines.len()));
                lines.insert(random.below(lines.len() + 1), line);
                bytes = lines.join("\n").into_bytes();
            }
            _ => {
                let number = random.next().to_string();
                bytes.splice(at..end, number.into_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Tries a target on inputs until its time is over.
fn fuzz(target: &str, corpus: &[String], read: impl Fn(&str)) {
    let kept = std::env::temp_dir().join(format!("chronoform-fuzz-{target}-{}", std::process::id()));
    let check = |seed: u64| {
        let input = damaged(&mut Random::new(seed), corpus);
        fs::write(&kept, format!("seed {seed:#x}\n{input}")).unwrap();
        let started = Instant::now();
        let ended = catch_unwind(AssertUnwindSafe(|| read(&input)));
        let took = started.elapsed();
        let again = format!("again: CHRONOFORM_TEST_SEED={seed:#x} cargo test --test fuzz {target}\n{input}");
        assert!(ended.is_ok(), "it panicked\n{again}");
        assert!(took < SLOW, "it took {took:?}\n{again}");
    };
    if let Ok(seed) = std::env::var("CHRONOFORM_TEST_SEED") {
        let digits = seed.trim_start_matches("0x");
        return check(u64::from_str_radix(digits, 16).expect("CHRONOFORM_TEST_SEED is a number as 0x…"));
    }
    let long = std::env::var_os("CHRONOFORM_TEST_LONG").is_some();
    let first = if long { SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() } else { 0x1d3 };
    let (mut seeds, until) = (Random::new(first), Instant::now() + if long { LONG } else { BRIEFLY });
    let mut count = 0;
    while Instant::now() < until {
        check(seeds.next());
        count += 1;
    }
    eprintln!("{target}: {count} inputs");
    assert!(count > 20, "only {count} inputs in that time");
    if let Some(most) = peak() {
        assert!(most < MUCH, "{most} KiB of memory at most");
    }
    fs::remove_file(kept).unwrap();
}

/// The most memory that this process has had, in KiB, where the system tells.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[test]
fn policies() {
    let corpus = corpus(&["policies", "tests/valid", "tests/invalid", "tests/cases"], ".yaml");
    fuzz("policies", &corpus, |input| {
        let texts = [("policy.yaml".to_owned(), input.to_owned())];
        let mut sources = Sources::default();
        if let Err(failure) = load::texts(&texts, &[], &Variables::default(), &mut sources) {
            // What is said of it quotes it.
            let said = chronoform::diag::render::text(&failure.0, &sources, false);
            assert!(said.len() < 4 << 20, "{} bytes are said of {}", said.len(), input.len());
        }
    });
}

#[test]
fn plans() {
    // Golden plans leave out what differs from run to run.
    let whole = |text: String| {
        let mut plan: serde_json::Value = serde_json::from_str(&text).unwrap();
        plan["target"] = serde_json::json!({"host": "h", "port": 5432, "database": "d", "database_oid": 5,
            "system_identifier": "7", "server_version": "17.5", "timescaledb": null});
        plan["policies"] = serde_json::json!({"digest": "sha256:0", "files": []});
        plan.to_string()
    };
    let corpus: Vec<String> = corpus(&["tests/cases"], "plan.json").into_iter().map(whole).collect();
    for plan in &corpus {
        let read = Plan::from_json(plan).unwrap_err().to_string();
        assert!(read.contains("changed after it was written"), "it is not a plan but for its digest: {read}\n{plan}");
    }
    fuzz("plans", &corpus, |input| {
        if let Ok(plan) = Plan::from_json(input) {
            panic!("a damaged plan was read: {}", plan.digest);
        }
    });
}
