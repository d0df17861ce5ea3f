//! The parts of the README that are made from the code: kinds, exit codes, diagnostics.
//!
//! `CHRONOFORM_BLESS=1` rewrites them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use chronoform::diag::{Exit, code};
use chronoform::kinds;

use crate::{generated, keys};

#[test]
fn the_generated_parts_are_up_to_date() {
    let parts = [("kinds", kinds_of_documents()), ("exit-codes", exit_codes()), ("diagnostics", diagnostics())];
    generated::check("README.md", &parts);
}

/// What can be asked of the tests is told where it is looked for.
#[test]
fn every_variable_of_the_tests_is_told() {
    const PREFIX: &str = "CHRONOFORM_TEST_";
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut open = vec![root.join("tests")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = text
                .split(PREFIX)
                .skip(1)
                .map(|rest| rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect::<String>());
            used.extend(names.filter(|name| !name.is_empty()));
        }
    }
    assert!(used.contains("SEED") && used.contains("REQUIRE"), "{used:?}");
    for place in ["README.md", "tests/run"] {
        let text = fs::read_to_string(root.join(place)).unwrap();
        let untold: Vec<&String> = used.iter().filter(|name| !text.contains(&format!("{PREFIX}{name}"))).collect();
        assert!(untold.is_empty(), "{place} does not say what {untold:?} do");
    }
}

/// The documents with their sections, a line each.
fn kinds_of_documents() -> String {
    let mut out = String::new();
    for document in kinds::document::DOCUMENTS {
        writeln!(out, "- **[`kind: {0}`](docs/kinds/{0}.md)** — {1}", document.kind, document.about).unwrap();
        for (key, about) in keys::sections(document) {
            writeln!(out, "  - `{key}`: {about}").unwrap();
        }
    }
    out
}

fn exit_codes() -> String {
    let mut out = String::from("| code | meaning |\n|---|---|\n");
    for (exit, about) in Exit::ALL {
        writeln!(out, "| {} | {about} |", exit as u8).unwrap();
    }
    out
}

fn diagnostics() -> String {
    let own = kinds::all().iter().flat_map(|kind| kind.codes().iter());
    let mut codes: Vec<_> = code::SHARED.iter().chain(own).collect();
    codes.sort_by_key(|code| code.name);
    let mut out = String::from("| code | about |\n|---|---|\n");
    for code in codes {
        writeln!(out, "| `{}` | {} |", code.name, code.about).unwrap();
    }
    out
}
