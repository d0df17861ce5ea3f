//! Files as they are read, each by itself: what one holds does not depend on another. Many are read on
//! several threads at once.

use std::collections::BTreeMap;
use std::path::Path;

use crate::core::Fingerprint;
use crate::diag::{Diagnostic, Sources, has_errors};
use crate::kinds::document::{Document, by_kind};
use crate::load::files::{self, ReadFile};
use crate::load::tree::{self, Converted};
use crate::load::yaml::{Node, Value};
use crate::load::{MAX_PER_FILE, Variables, speaks_of_others, substitute, yaml};

/// One file.
pub struct Gathered {
    /// Its path as it was given or found.
    pub path: String,
    /// The SHA-256 of its bytes, in hexadecimal; none where it could not be read.
    pub sha256: Option<String>,
    /// Its documents that count, and whether something in each could not be read.
    pub documents: Vec<(Converted, bool)>,
    /// What is to be said of it.
    pub found: Vec<Diagnostic>,
    /// Every reference that was used in it, with its value.
    pub used: BTreeMap<String, String>,
    /// Its text.
    pub sources: Sources,
}

/// Reads a file. Of one that was not chosen, only documents that speak of others count.
pub fn file(path: &Path, chosen: bool, variables: &Variables) -> Gathered {
    let mut sources = Sources::default();
    match files::read(path, &mut sources) {
        Ok(file) => Gathered { sources, ..text(&file, chosen, variables) },
        Err(failure) => Gathered {
            path: path.display().to_string(),
            sha256: None,
            documents: Vec::new(),
            found: failure.0,
            used: BTreeMap::new(),
            sources,
        },
    }
}

/// Reads a text that is no file yet.
pub fn text(file: &ReadFile, chosen: bool, variables: &Variables) -> Gathered {
    let mut gathered = Gathered {
        path: file.text.path().to_string(),
        sha256: Some(Fingerprint::of(&file.bytes).as_str().trim_start_matches("sha256:").to_owned()),
        documents: Vec::new(),
        found: Vec::new(),
        used: BTreeMap::new(),
        sources: Sources::default(),
    };
    for mut node in yaml::documents(&file.text, &mut gathered.found) {
        if gathered.found.len() > MAX_PER_FILE {
            break;
        }
        let mut found = Vec::new();
        let secrets = secrets(&node);
        let done = substitute::apply_but(&mut node, secrets, &file.text, variables, &mut found);
        let document = tree::convert(&node, &file.text, &done, &mut found);
        if !chosen && !speaks_of_others(&document) {
            continue;
        }
        gathered.used.extend(done.used);
        let broken = !done.unknown.is_empty() || has_errors(&found);
        gathered.found.append(&mut found);
        gathered.documents.push((document, broken));
    }
    gathered
}

/// Where in a document a secret may be named, by its `kind:`.
fn secrets(document: &Node) -> &'static [&'static str] {
    let Value::Map(entries) = &document.value else { return &[] };
    let is_kind = |key: &Node| matches!(&key.value, Value::Text(name) if name == "kind");
    let kind = entries.iter().find(|(key, _)| is_kind(key)).map(|(_, value)| &value.value);
    match kind {
        Some(Value::Text(kind)) => by_kind(kind).map_or(&[], Document::secrets),
        _ => &[],
    }
}
