//! The pages in `docs/` as far as they are made from the code, and the policies on them.
//!
//! `CHRONOFORM_BLESS=1` rewrites the generated parts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use chronoform::diag::Sources;
use chronoform::kinds::document::DOCUMENTS;
use chronoform::load::{self, Variables};

use crate::{generated, keys, locks};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(pages(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn every_kind_of_document_has_its_page() {
    let wanted: BTreeSet<String> = DOCUMENTS.iter().map(|document| format!("{}.md", document.kind)).collect();
    let found = fs::read_dir(docs().join("kinds")).unwrap();
    let found: BTreeSet<String> =
        found.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(found, wanted);
    for document in DOCUMENTS {
        let about = format!("{}\n", document.about);
        let page = format!("docs/kinds/{}.md", document.kind);
        generated::check(&page, &[("about", about), ("keys", keys::table(document))]);
    }
}

#[test]
fn what_is_locked_is_up_to_date() {
    generated::check("docs/safety.md", &[("hazards", locks::hazards()), ("locks", locks::tables())]);
}

/// Each page of a kind shows at least one document of it, and what it shows can be used as it stands.
#[test]
fn the_examples_of_the_kinds_are_valid() {
    for document in DOCUMENTS {
        let page = docs().join("kinds").join(format!("{}.md", document.kind));
        let text = fs::read_to_string(&page).unwrap();
        let examples: Vec<&str> =
            text.split("\n```yaml\n").skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect();
        let own = format!("kind: {}", document.kind);
        assert!(examples.iter().any(|example| example.lines().any(|line| line == own)), "{}", page.display());
        for example in examples {
            valid(&page, example);
        }
    }
}

fn valid(page: &Path, example: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.yaml");
    fs::write(&file, example).unwrap();
    let (mut sources, mut sink) = (Sources::default(), Vec::new());
    let loaded = load::policies(&[file], &Variables::default(), &mut sources, &mut sink);
    let failed = loaded.err().map(|failure| failure.0).unwrap_or_default();
    let said: Vec<&str> = failed.iter().chain(&sink).map(|diagnostic| diagnostic.message.as_str()).collect();
    assert!(said.is_empty(), "{}: {said:#?}\n{example}", page.display());
}

/// Links to other files of the project, and to headings within them.
#[test]
fn no_link_leads_nowhere() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let mut dead = Vec::new();
    for page in pages(&docs()).into_iter().chain([readme]) {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let there = fs::read_to_string(&target).is_ok_and(|text| heading.is_empty() || has_heading(&text, heading));
            if !there {
                dead.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

fn has_heading(text: &str, wanted: &str) -> bool {
    let name = |line: &str| {
        let words = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        words.chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect::<String>()
    };
    text.lines().any(|line| line.starts_with('#') && name(line) == wanted)
}
