//! Policies from files to validated desired resources: YAML, variables, schemas, sections.
//!
//! Every error is reported in one pass: a broken document hides no other document, a broken section
//! no other section, and what depends on something that could not be read is not reported on top.

mod complaints;
mod compose;
pub mod config;
mod explain;
pub mod files;
pub mod format;
mod nearest;
pub mod redact;
pub mod schema;
mod stack;
mod substitute;
mod text;
mod tree;
mod validate;
pub mod variables;
pub mod write;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::core::{Address, Desired, Fingerprint, Place, QualifiedName};
use crate::diag::{Diagnostic, Failure, Sources, code, has_errors};
use crate::kinds::{self, Kind};
use compose::Schemas;
use redact::Redactor;
use validate::Checked;

pub use config::Config;
pub use text::Text;
pub use variables::{Variable, Variables};

/// How many diagnostics of one file are reported.
const MAX_PER_FILE: usize = 200;

/// What the policies want.
#[derive(Clone, Debug)]
pub struct Policies {
    /// Every desired resource.
    pub desired: BTreeMap<Address, Desired>,
    /// Every document, in the order of the files.
    pub documents: Vec<DocumentInfo>,
    /// Every file that was read.
    pub files: Vec<PolicyFile>,
    /// The digest of the files' contents and of the variables that they use.
    pub digest: Fingerprint,
    /// Takes values out of the environment out of messages.
    pub redactor: Redactor,
}

/// One document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DocumentInfo {
    /// Its `kind:`.
    pub kind: &'static str,
    /// Its name as written.
    pub name: String,
    /// The relation that it is about, where it is about one.
    pub relation: Option<QualifiedName>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// `protect: true`.
    pub protect: bool,
    /// `when_missing: skip`.
    pub skip_missing: bool,
    /// Where it begins.
    pub place: Place,
}

/// One policy file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyFile {
    /// Its path as it was given or found.
    pub path: String,
    /// The SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// Reads every policy below the paths.
///
/// # Errors
/// Everything that is wrong in any of the files. Where nothing is, what deserves a warning is
/// pushed into `sink`.
pub fn policies(
    paths: &[PathBuf],
    variables: &Variables,
    sources: &mut Sources,
    sink: &mut Vec<Diagnostic>,
) -> Result<Policies, Failure> {
    stack::roomy(|| Loading::new(kinds::all(), Schemas::all(), variables).run(paths, sources, sink))
}

/// Reads policies that are no files yet, each a name and a text. They cannot hold variables.
///
/// # Errors
/// Everything that is wrong in any of them.
pub fn texts(texts: &[(String, String)], sources: &mut Sources) -> Result<Policies, Failure> {
    let variables = Variables::default();
    stack::roomy(|| {
        let mut loading = Loading::new(kinds::all(), Schemas::all(), &variables);
        for (name, text) in texts {
            sources.add(name.as_str().into(), text.as_str().into());
            let read = Text::new(name.as_str().into(), text.as_str().into());
            loading.text(&files::ReadFile { text: read, bytes: text.as_bytes().to_vec() });
        }
        loading.finish(&BTreeMap::new(), &mut Vec::new())
    })
}

/// Reads a project's `chronoform.yaml`.
///
/// # Errors
/// Everything that is wrong in it.
pub fn config(path: &Path, sources: &mut Sources) -> Result<Config, Failure> {
    stack::roomy(|| config::read(path, Variables::of_environment(), sources))
}

/// What has been read so far.
struct Loading<'a> {
    kinds: &'a [&'static dyn Kind],
    schemas: &'a Schemas,
    variables: &'a Variables,
    redactor: Redactor,
    found: Vec<Diagnostic>,
    files: Vec<PolicyFile>,
    documents: Vec<DocumentInfo>,
    /// The documents by what they describe.
    described: BTreeMap<(&'static str, QualifiedName), usize>,
    desired: BTreeMap<Address, Desired>,
    /// Relations of which something could not be read.
    broken: BTreeSet<QualifiedName>,
    /// Every reference that was used, with its value.
    used: BTreeMap<String, String>,
}

impl<'a> Loading<'a> {
    fn new(kinds: &'a [&'static dyn Kind], schemas: &'a Schemas, variables: &'a Variables) -> Self {
        Self {
            kinds,
            schemas,
            variables,
            redactor: Redactor::default(),
            found: Vec::new(),
            files: Vec::new(),
            documents: Vec::new(),
            described: BTreeMap::new(),
            desired: BTreeMap::new(),
            broken: BTreeSet::new(),
            used: BTreeMap::new(),
        }
    }

    fn run(
        mut self,
        paths: &[PathBuf],
        sources: &mut Sources,
        sink: &mut Vec<Diagnostic>,
    ) -> Result<Policies, Failure> {
        let paths = files::find(paths, &mut self.found);
        let mut order = BTreeMap::new();
        for path in &paths {
            order.insert(path.display().to_string(), order.len());
            self.file(path, sources);
        }
        if !paths.is_empty() && self.documents.is_empty() && !has_errors(&self.found) {
            self.found.push(no_documents(paths.len()));
        }
        self.finish(&order, sink)
    }

    /// Checks all of it together. `order` is that of the files, by their paths.
    fn finish(mut self, order: &BTreeMap<String, usize>, sink: &mut Vec<Diagnostic>) -> Result<Policies, Failure> {
        self.check();
        for diagnostic in &mut self.found {
            self.redactor.redact(diagnostic);
            clip(diagnostic);
        }
        // As the files were read, and within a file from top to bottom.
        self.found.sort_by_key(|diagnostic| {
            let place = diagnostic.place.as_ref();
            place.map(|place| (order.get(place.file.as_ref()).copied(), place.start))
        });
        if has_errors(&self.found) {
            return Err(Failure(self.found));
        }
        sink.append(&mut self.found);
        let digest = self.digest();
        let Self { desired, documents, files, redactor, .. } = self;
        Ok(Policies { desired, documents, files, digest, redactor })
    }

    fn file(&mut self, path: &Path, sources: &mut Sources) {
        match files::read(path, sources) {
            Ok(file) => self.text(&file),
            Err(failure) => self.found.extend(failure.0),
        }
    }

    fn text(&mut self, file: &files::ReadFile) {
        let hash = Fingerprint::of(&file.bytes);
        let sha256 = hash.as_str().trim_start_matches("sha256:").to_owned();
        self.files.push(PolicyFile { path: file.text.path().to_string(), sha256 });
        let before = self.found.len();
        for mut node in yaml::documents(&file.text, &mut self.found) {
            if self.found.len() - before > MAX_PER_FILE {
                break;
            }
            let done = substitute::apply(&mut node, &file.text, self.variables, &mut self.redactor, &mut self.found);
            let already = self.found.len();
            let converted = tree::convert(&node, &file.text, &done, &mut self.found);
            self.used.extend(done.used);
            if let Some(checked) = validate::document(self.schemas, converted, &mut self.found) {
                let broken = !done.unknown.is_empty() || has_errors(self.found.get(already..).unwrap_or_default());
                self.add(checked, broken);
            }
        }
        if self.found.len() - before > MAX_PER_FILE {
            self.found.truncate(before + MAX_PER_FILE);
            let message = format!("`{}` has more errors than are shown", file.text.path());
            self.found.push(Diagnostic::error(&code::YAML_BUDGET, message).help("mend these first"));
        }
    }

    fn add(&mut self, checked: Checked, broken: bool) {
        let Some(head) = checked.head else { return };
        let relation = checked.document.relation.then(|| head.relation.clone());
        if broken {
            self.broken.insert(head.relation.clone());
        }
        let described = (head.document, head.relation);
        if let Some(first) = self.described.get(&described).and_then(|at| self.documents.get(*at)) {
            self.found.push(twice_described(&head.place, &head.name, first));
            return;
        }
        self.described.insert(described, self.documents.len());
        self.documents.push(DocumentInfo {
            kind: head.document,
            name: head.name,
            relation,
            labels: checked.labels,
            protect: head.protect,
            skip_missing: head.skip_missing,
            place: head.place,
        });
        for desired in checked.desired {
            match self.desired.get(&desired.address) {
                Some(first) => self.found.push(twice_desired(&desired, first)),
                None => _ = self.desired.insert(desired.address.clone(), desired),
            }
        }
    }

    /// What only all of them together can tell. Resources of a document with errors are left out:
    /// what is missing there would be reported as missing here.
    fn check(&mut self) {
        let whole = |desired: &&Desired| desired.on.as_ref().is_none_or(|relation| !self.broken.contains(relation));
        for kind in self.kinds {
            let id = kind.id();
            let own = self.desired.values().filter(|desired| desired.address.kind == id).filter(whole);
            kind.check(&own.collect::<Vec<_>>(), &self.desired, &mut self.found);
        }
    }

    fn digest(&self) -> Fingerprint {
        let mut hashes: Vec<&str> = self.files.iter().map(|file| file.sha256.as_str()).collect();
        hashes.sort_unstable();
        let used = self.used.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        Fingerprint::of_parts(hashes.into_iter().chain(["variables"]).chain(used))
    }
}

/// Cuts what is quoted from a file short, where a file quotes a book.
fn clip(diagnostic: &mut Diagnostic) {
    const LONG: usize = 400;
    const KEPT: usize = 80;
    let clip = |text: &mut String| {
        if text.len() > LONG {
            let short = |part: &str| match part.char_indices().nth(KEPT) {
                Some((at, _)) if part.len() > LONG => format!("{}…", part.get(..at).unwrap_or("")),
                _ => part.to_owned(),
            };
            *text = text.split('`').map(short).collect::<Vec<_>>().join("`");
        }
    };
    clip(&mut diagnostic.message);
    diagnostic.label.iter_mut().for_each(clip);
    diagnostic.why.iter_mut().for_each(clip);
    diagnostic.help.iter_mut().for_each(clip);
}

fn no_documents(files: usize) -> Diagnostic {
    let what = if files == 1 { "the policy file holds".to_owned() } else { format!("the {files} policy files hold") };
    Diagnostic::error(&code::NO_POLICIES, format!("{what} no document"))
        .why("with no policies, everything that was ever applied would look orphaned")
        .help("a document begins with `kind:` and `name:`")
}

fn twice_described(place: &Place, name: &str, first: &DocumentInfo) -> Diagnostic {
    let name = first.relation.as_ref().map_or_else(|| name.to_owned(), ToString::to_string);
    Diagnostic::error(&code::DUPLICATE_DOCUMENT, format!("two `{}` documents describe `{name}`", first.kind))
        .at(place)
        .label("again here")
        .and_at(&first.place, "first here")
        .why("each would undo what the other does")
        .help("put everything about it into one document")
}

fn twice_desired(again: &Desired, first: &Desired) -> Diagnostic {
    let name = again.address.object().map_or_else(|| again.address.name.clone(), |object| object.to_string());
    let message = format!("two places describe the {} `{name}`", again.address.kind);
    let diagnostic = Diagnostic::error(&code::DUPLICATE_RESOURCE, message)
        .at(&again.place)
        .label("again here")
        .and_at(&first.place, "first here");
    match (&again.on, &first.on) {
        (Some(on), Some(other)) if on != other => diagnostic
            .why(format!("its name is unique in its schema, and it cannot be on both `{other}` and `{on}`"))
            .help("give one of them another name"),
        _ => diagnostic.help("keep one of them, or give one another name"),
    }
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
