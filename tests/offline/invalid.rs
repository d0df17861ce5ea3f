//! Policies that must be refused, each with what is said of it and where; and odd ones that must
//! not be.
//!
//! A file in `tests/invalid` begins with a line for each diagnostic, `# expect: code line:column`,
//! with the related places behind it. `CHRONOFORM_BLESS=1` writes those lines.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test says so by failing")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use chronoform::diag::{Diagnostic, Sources, render};
use chronoform::load::{self, Policies, Variables};

const EXPECT: &str = "# expect: ";
const SECRET: &str = "hunter2-in-the-environment";

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths
}

fn load(text: &str) -> (Result<Policies, Vec<Diagnostic>>, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policy.yaml");
    fs::write(&path, text).unwrap();
    let variables = Variables::from_pairs(&[("DAYS", "7"), ("TEAM", "core")]);
    let mut sources = Sources::default();
    let mut sink = Vec::new();
    let loaded = load::policies(&[path], &variables, &mut sources, &mut sink);
    (loaded.map_err(|failure| failure.0), sources)
}

/// The diagnostics as `code line:column`, their lines counted from the given one.
fn brief(found: &[Diagnostic], more: usize) -> Vec<String> {
    let one = |diagnostic: &Diagnostic| {
        let mut out = diagnostic.code.name.to_owned();
        for place in diagnostic.place.iter().chain(diagnostic.related.iter().map(|(place, _)| place)) {
            write!(out, " {}:{}", place.line as usize + more, place.column).unwrap();
        }
        out
    };
    found.iter().map(one).collect()
}

fn bless() -> bool {
    std::env::var_os("CHRONOFORM_BLESS").is_some_and(|value| value == "1")
}

#[test]
fn every_invalid_policy_is_refused_with_its_codes_and_places() {
    let mut wrong = String::new();
    for path in files("invalid") {
        let text = fs::read_to_string(&path).unwrap();
        let expected: Vec<&str> = text.lines().map_while(|line| line.strip_prefix(EXPECT)).collect();
        if bless() {
            let body: String = text.split_inclusive('\n').skip(expected.len()).collect();
            let found = load(&body).0.err().unwrap_or_default();
            let head: String = brief(&found, found.len()).iter().map(|line| format!("{EXPECT}{line}\n")).collect();
            fs::write(&path, head + &body).unwrap();
            continue;
        }
        let (result, sources) = load(&text);
        let found = result.err().unwrap_or_default();
        let name = path.file_name().unwrap().display();
        if found.is_empty() || brief(&found, 0) != expected {
            let said = render::text(&found, &sources, false);
            write!(wrong, "{name}: expected {expected:#?}, found {:#?}\n{said}", brief(&found, 0)).unwrap();
        }
        let messages = format!("{found:?}");
        assert!(!messages.contains(SECRET), "{name}: {messages}");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Every diagnostic is a whole sentence to a person: it has a place, one line, and is not too long.
#[test]
fn every_diagnostic_can_be_read() {
    // The other test writes the files then.
    if bless() {
        return;
    }
    for path in files("invalid") {
        let (result, sources) = load(&fs::read_to_string(&path).unwrap());
        let found = result.err().unwrap_or_default();
        for diagnostic in &found {
            assert!(diagnostic.place.is_some(), "{}: {diagnostic:?}", path.display());
            for text in [Some(&diagnostic.message), diagnostic.label.as_ref(), diagnostic.help.as_ref()] {
                assert!(
                    text.is_none_or(|text| text.len() < 500 && !text.contains('\n')),
                    "{}: {text:?}",
                    path.display()
                );
            }
        }
        if std::env::var_os("CHRONOFORM_SHOW").is_some() {
            println!("──── {}\n{}", path.file_name().unwrap().display(), render::text(&found, &sources, false));
        }
    }
}

#[test]
fn every_odd_but_valid_policy_is_read() {
    for path in files("valid") {
        let (result, sources) = load(&fs::read_to_string(&path).unwrap());
        if let Err(found) = result {
            panic!("{}", render::text(&found, &sources, false));
        }
    }
}

/// Shipped and odd policies with something in them changed by chance: whatever comes of it is read
/// or refused with a place, and never takes the program down.
#[test]
fn no_change_by_chance_brings_it_down() {
    const BITS: [&str; 20] = [
        "${var.X}", "${", "}", "[", "]", "'", "\"", ": ", "- ", "\n", "  ", "\t", "#", "&a ", "*a", "<<: ", "null",
        "-1", "é", "\u{0}",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = fs::read_dir(root.join("policies")).unwrap().map(|entry| entry.unwrap().path());
    let texts: Vec<String> = shipped.chain(files("valid")).map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut seed: u64 = 0x2545_f491_4f6c_dd1d;
    let mut next = |bound: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % bound.max(1) as u64).unwrap()
    };
    for round in 0..600 {
        let mut text: Vec<char> = texts[round % texts.len()].chars().collect();
        for _ in 0..=next(3) {
            let at = next(text.len());
            match next(3) {
                0 => _ = text.drain(at..(at + next(12)).min(text.len())),
                1 => _ = text.splice(at..at, BITS[next(BITS.len())].chars()),
                _ => {
                    let part: Vec<char> = text[at..(at + next(60)).min(text.len())].to_vec();
                    let to = next(text.len());
                    text.splice(to..to, part);
                }
            }
        }
        let text: String = text.into_iter().collect();
        if let Err(found) = load(&text).0 {
            assert!(!found.is_empty());
            let placed = |d: &Diagnostic| d.place.is_some() || d.code.name == "no-policies";
            assert!(found.iter().all(placed), "{text:?}: {found:?}");
        }
        let _ = load::format::format(&text);
    }
}

#[test]
fn a_warning_is_told_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let text = "kind: table\nname: t\nindexes:\n  - {name: a, columns: [x]}\n  - {name: b, columns: [x]}\n";
    fs::write(folder.path().join("p.yaml"), text).unwrap();
    let mut sink = Vec::new();
    let paths = [folder.path().to_owned()];
    let loaded = load::policies(&paths, &Variables::default(), &mut Sources::default(), &mut sink);
    assert_eq!(loaded.unwrap().desired.len(), 2);
    assert_eq!(brief(&sink, 0), ["same-index-twice 5:12 4:12"]);
}
