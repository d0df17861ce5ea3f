//! The parts of the README that are made from the code: kinds, exit codes, diagnostics.
//!
//! `CHRONOFORM_BLESS=1` rewrites them.

use std::fmt::Write as _;

use chronoform::diag::{Exit, code};
use chronoform::kinds;

use crate::{generated, keys};

#[test]
fn the_generated_parts_are_up_to_date() {
    let parts = [("kinds", kinds_of_documents()), ("exit-codes", exit_codes()), ("diagnostics", diagnostics())];
    generated::check("README.md", &parts);
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
