//! Policies from files to validated desired resources: YAML, variables, schemas, sections.
//!
//! Every error is reported in one pass: a broken document hides no other document, a broken section
//! no other section, and what depends on something that could not be read is not reported on top.
//!
//! Every file is read before any document is checked: classes come first, and are merged into the
//! documents that they match.

mod class;
mod complaints;
mod compose;
pub mod config;
mod explain;
pub mod files;
pub mod format;
mod gather;
mod guardrail;
mod guards;
mod nearest;
pub mod schema;
mod substitute;
mod text;
mod tree;
mod validate;
pub mod variables;
pub mod write;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::core::{Address, Desired, Fingerprint, KindId, Place, QualifiedName, stack};
use crate::diag::{Diagnostic, Failure, Sources, code, has_errors};
use crate::guard::{Guardrail, Subject};
use crate::kinds::document::{Document, by_kind};
use crate::kinds::{self, Kind};
use class::{Class, Target};
use compose::{DocumentSchema, Schemas};
use tree::Converted;
use validate::Checked;

pub use config::Config;
pub use guards::standing;
pub use text::Text;
pub use variables::Variables;

/// How many diagnostics of one file are reported.
const MAX_PER_FILE: usize = 200;

/// What the policies want.
#[derive(Clone, Debug)]
pub struct Policies {
    /// Every desired resource.
    pub desired: BTreeMap<Address, Desired>,
    /// Every document, in the order of the files.
    pub documents: Vec<DocumentInfo>,
    /// Every guardrail.
    pub guardrails: Vec<Guardrail>,
    /// Every file that was read.
    pub files: Vec<PolicyFile>,
    /// The digest of the files' contents and of the variables that they use.
    pub digest: Fingerprint,
}

impl Policies {
    /// The relations that were called otherwise before, each with what it is called now.
    pub fn moved(&self) -> BTreeMap<QualifiedName, QualifiedName> {
        let moved = |document: &DocumentInfo| Some((document.moved_from.clone()?, document.relation.clone()?));
        self.documents.iter().filter_map(moved).collect()
    }

    /// The tables that guardrails are asked for.
    pub fn subjects(&self) -> Vec<Subject> {
        let subject = |document: &DocumentInfo| {
            Some(Subject {
                relation: document.relation.clone()?,
                kind: document.kind,
                labels: document.labels.clone(),
                protect: document.protect,
                place: document.place.clone(),
            })
        };
        self.documents.iter().filter_map(subject).collect()
    }
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
    /// What the relation was called before.
    pub moved_from: Option<QualifiedName>,
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

/// Reads every policy below the paths. Of the project's other files, those below `project`, only
/// what speaks of other documents is read, such as classes: a choice of files is no way around them.
///
/// # Errors
/// Everything that is wrong in any of the files. Where nothing is, what deserves a warning is
/// pushed into `sink`.
pub fn policies_of(
    paths: &[PathBuf],
    project: &[PathBuf],
    variables: &Variables,
    sources: &mut Sources,
    sink: &mut Vec<Diagnostic>,
) -> Result<Policies, Failure> {
    stack::roomy(|| Loading::new(kinds::all(), Schemas::all(), variables).run(paths, project, sources, sink))
}

/// Reads every policy below the paths, as the whole project.
///
/// # Errors
/// As [`policies_of`].
pub fn policies(
    paths: &[PathBuf],
    variables: &Variables,
    sources: &mut Sources,
    sink: &mut Vec<Diagnostic>,
) -> Result<Policies, Failure> {
    policies_of(paths, &[], variables, sources, sink)
}

/// Reads policies that are no files yet, each a name and a text, as they would be read beside the
/// project's files: those below `project`, of which only what speaks of other documents counts.
///
/// # Errors
/// Everything that is wrong in any of them.
pub fn texts(
    texts: &[(String, String)],
    project: &[PathBuf],
    variables: &Variables,
    sources: &mut Sources,
) -> Result<Policies, Failure> {
    stack::roomy(|| {
        let mut loading = Loading::new(kinds::all(), Schemas::all(), variables);
        let mut pending = Vec::new();
        for (name, text) in texts {
            sources.add(name.as_str().into(), text.as_str().into());
            let read = Text::new(name.as_str().into(), text.as_str().into());
            let file = files::ReadFile { text: read, bytes: text.as_bytes().to_vec() };
            loading.keep(gather::text(&file, true, variables), true, sources, &mut pending);
        }
        for path in files::others(project, &[], &mut loading.found) {
            loading.keep(gather::file(&path, false, variables), false, sources, &mut pending);
        }
        loading.rules(&mut pending, texts.len(), sources);
        // What is live is so, whatever is asserted of it: that is for `validate` to say.
        loading.guardrails.clear();
        loading.documents(pending);
        loading.conclude(&BTreeMap::new(), &mut Vec::new())
    })
}

/// Reads a project's `chronoform.yaml`.
///
/// # Errors
/// Everything that is wrong in it.
pub fn config(path: &Path, sources: &mut Sources) -> Result<Config, Failure> {
    stack::roomy(|| config::read(path, variables::environment(), sources))
}

/// A document that was read, and not checked yet.
struct Pending {
    document: Converted,
    /// Whether something in it could not be read.
    broken: bool,
    /// Its file, by number.
    file: usize,
}

/// A document that has all that classes give it, and once it is checked what it says.
struct Ready<'a> {
    unchecked: Option<(&'a DocumentSchema, Converted)>,
    found: Vec<Diagnostic>,
    broken: bool,
    /// Whether a class that cannot be used would have given it more.
    incomplete: bool,
    file: usize,
    checked: Option<Checked>,
}

impl Ready<'_> {
    /// Checks it by itself.
    fn check(mut self) -> Self {
        let Some((schema, document)) = self.unchecked.take() else { return self };
        self.checked = Some(validate::document(schema, document, &mut self.found));
        if self.incomplete {
            let missing = |d: &Diagnostic| [&code::MISSING_KEY, &code::POLICY_CONFLICT].contains(&d.code);
            self.found.retain(|diagnostic| !missing(diagnostic));
        }
        self
    }
}

/// What has been read so far.
struct Loading<'a> {
    kinds: &'a [&'static dyn Kind],
    schemas: &'a Schemas,
    variables: &'a Variables,
    found: Vec<Diagnostic>,
    /// What was found in each file.
    per_file: Vec<usize>,
    files: Vec<PolicyFile>,
    classes: Vec<Class>,
    guardrails: Vec<guardrail::Raw>,
    documents: Vec<DocumentInfo>,
    /// The documents by what they describe.
    described: BTreeMap<QualifiedName, Vec<usize>>,
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
            found: Vec::new(),
            per_file: Vec::new(),
            files: Vec::new(),
            classes: Vec::new(),
            guardrails: Vec::new(),
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
        project: &[PathBuf],
        sources: &mut Sources,
        sink: &mut Vec<Diagnostic>,
    ) -> Result<Policies, Failure> {
        let paths = files::find(paths, &mut self.found);
        let others = files::others(project, &paths, &mut self.found);
        let mut order = BTreeMap::new();
        let mut pending = Vec::new();
        let all = paths.iter().map(|path| (path, true)).chain(others.iter().map(|path| (path, false)));
        let variables = self.variables;
        let gathered = stack::spread(all.collect(), |(path, chosen)| (gather::file(path, chosen, variables), chosen));
        for (file, chosen) in gathered {
            order.insert(file.path.clone(), order.len());
            self.keep(file, chosen, sources, &mut pending);
        }
        self.rules(&mut pending, paths.len(), sources);
        self.documents(pending);
        if !paths.is_empty() && self.documents.is_empty() && !has_errors(&self.found) {
            self.found.push(no_documents(paths.len()));
        }
        self.conclude(&order, sink)
    }

    /// Checks all of it together. `order` is that of the files, by their paths.
    fn conclude(mut self, order: &BTreeMap<String, usize>, sink: &mut Vec<Diagnostic>) -> Result<Policies, Failure> {
        self.unmatched();
        self.check();
        self.finish(order);
        if has_errors(&self.found) {
            return Err(Failure(self.found));
        }
        sink.append(&mut self.found);
        let digest = self.digest();
        let Self { desired, documents, files, guardrails, .. } = self;
        let guardrails = guardrails.into_iter().map(|guardrail| guardrail.over(&documents)).collect();
        Ok(Policies { desired, documents, guardrails, files, digest })
    }

    /// Brings what was found to order: as the files were read, and within a file from top to bottom.
    fn finish(&mut self, order: &BTreeMap<String, usize>) {
        for diagnostic in &mut self.found {
            clip(diagnostic);
        }
        self.found.sort_by_key(|diagnostic| {
            let place = diagnostic.place.as_ref();
            place.map(|place| (order.get(place.file.as_ref()).copied(), place.start))
        });
        class::say_once(&mut self.found);
    }

    /// Takes in what a file holds.
    fn keep(&mut self, file: gather::Gathered, chosen: bool, sources: &mut Sources, pending: &mut Vec<Pending>) {
        sources.append(file.sources);
        let before = self.found.len();
        self.found.extend(file.found);
        let Some(sha256) = file.sha256 else { return };
        self.used.extend(file.used);
        self.limit(before, &file.path);
        if chosen || !file.documents.is_empty() {
            self.files.push(PolicyFile { path: file.path, sha256 });
        }
        let number = self.per_file.len();
        pending.extend(file.documents.into_iter().map(|(document, broken)| Pending { document, broken, file: number }));
        self.per_file.push(self.found.len() - before);
    }

    /// No file has more to say than can be read.
    fn limit(&mut self, before: usize, path: &str) {
        if self.found.len() - before > MAX_PER_FILE {
            self.found.truncate(before + MAX_PER_FILE);
            self.found.push(too_many(path));
        }
    }

    /// Takes the documents that speak of others out of those that are pending. The first `chosen`
    /// files are those that were asked for.
    fn rules(&mut self, pending: &mut Vec<Pending>, chosen: usize, sources: &Sources) {
        let (rules, rest) =
            std::mem::take(pending).into_iter().partition(|pending| speaks_of_others(&pending.document));
        *pending = rest;
        let rules: Vec<Pending> = rules;
        for mut pending in rules {
            let Some(schema) = validate::kind_of(self.schemas, &pending.document, &mut self.found) else { continue };
            let (head, fine) = validate::rule(schema, &mut pending.document, &mut self.found);
            let Some(head) = head else { continue };
            let name = head.name.clone();
            let checked =
                Checked { document: schema.document, labels: BTreeMap::new(), head: Some(head), desired: Vec::new() };
            if !self.add(checked, false) {
                continue;
            }
            let broken = pending.broken || !fine;
            if schema.document.kind == "guardrail" {
                let guardrail =
                    || guardrail::Raw::read(&name, &pending.document, pending.file < chosen, sources, &mut self.found);
                self.guardrails.extend((!broken).then(guardrail).flatten());
                continue;
            }
            let whole = pending.file < chosen;
            self.classes.push(Class::read(&name, pending.document, broken, whole, &mut self.found));
        }
    }

    /// Checks the documents: each by itself, once its classes have given it what they have.
    fn documents(&mut self, pending: Vec<Pending>) {
        let ready: Vec<Ready<'a>> = pending.into_iter().map(|pending| self.complete(pending)).collect();
        for document in stack::spread(ready, Ready::check) {
            self.take(document);
        }
    }

    /// Gives a document what its classes have.
    fn complete(&mut self, pending: Pending) -> Ready<'a> {
        let Pending { mut document, broken, file } = pending;
        let mut found = Vec::new();
        let counted = self.per_file.get(file).copied().unwrap_or_default();
        // Of a file with so much to say, the rest is not looked at.
        let schema =
            (counted <= MAX_PER_FILE).then(|| validate::kind_of(self.schemas, &document, &mut found)).flatten();
        let Some(schema) = schema else {
            return Ready { unchecked: None, found, broken, incomplete: false, file, checked: None };
        };
        let target = Target::of(&document).filter(|_| schema.document.relation);
        let mut matching: Vec<&mut Class> = match &target {
            Some(target) => self.classes.iter_mut().filter(|class| class.matches(target)).collect(),
            None => Vec::new(),
        };
        // What a class that cannot be used would have given is not reported as missing.
        let incomplete = matching.iter().any(|class| class.broken);
        if let Some(target) = target.filter(|_| !incomplete) {
            class::merge(&mut document, &target, &|key| schema.has_key(key), &mut matching, &mut found);
        } else {
            matching.iter_mut().for_each(|class| class.used = true);
        }
        Ready { unchecked: Some((schema, document)), found, broken, incomplete, file, checked: None }
    }

    /// Takes in what a document says.
    fn take(&mut self, ready: Ready<'a>) {
        let Ready { found, broken, incomplete, file, checked, .. } = ready;
        let counted = self.per_file.get(file).copied().unwrap_or_default();
        if counted > MAX_PER_FILE {
            return;
        }
        let before = self.found.len();
        let broken = broken || incomplete || has_errors(&found);
        self.found.extend(found);
        if let Some(checked) = checked {
            self.add(checked, broken);
        }
        let more = counted + self.found.len() - before;
        if more > MAX_PER_FILE {
            self.found.truncate(before + MAX_PER_FILE.saturating_sub(counted));
            let path = self.files.get(file).map_or("", |file| file.path.as_str()).to_owned();
            self.found.push(too_many(&path));
        }
        if let Some(counted) = self.per_file.get_mut(file) {
            *counted = more;
        }
    }

    /// Says which classes and guardrails no document matches, and what is wrong in the former all the same.
    fn unmatched(&mut self) {
        let unasked = self.guardrails.iter().filter_map(|guardrail| guardrail.matches_nothing(&self.documents));
        self.found.extend(unasked);
        let relations = self.schemas.iter().filter(|schema| schema.document.relation);
        let relations: Vec<_> = relations.collect();
        for class in self.classes.iter().filter(|class| !class.used && !class.broken) {
            if class.whole {
                self.found.push(class::matches_nothing(class));
            }
            let mut found = Vec::new();
            relations.iter().for_each(|schema| validate::fragments(schema, class.document(), &mut found));
            for diagnostic in found {
                if !self.found.contains(&diagnostic) {
                    self.found.push(diagnostic);
                }
            }
        }
    }

    /// Keeps a document; false where it has no name, or another describes the same.
    fn add(&mut self, checked: Checked, broken: bool) -> bool {
        let Some(head) = checked.head else { return false };
        let relation = checked.document.relation.then(|| head.relation.clone());
        if broken {
            self.broken.insert(head.relation.clone());
        }
        let described = self.described.entry(head.relation).or_default();
        let others: Vec<&DocumentInfo> = described.iter().filter_map(|at| self.documents.get(*at)).collect();
        if let Some(first) = others.iter().find(|other| other.kind == head.document) {
            self.found.push(twice_described(&head.place, &head.name, first));
            return false;
        }
        let as_relation = |other: &&&DocumentInfo| relation.is_some() && other.relation.is_some();
        if let Some(first) = others.iter().find(as_relation) {
            self.found.push(described_as_two(&head.place, &head.name, head.document, first));
            return false;
        }
        described.push(self.documents.len());
        self.documents.push(DocumentInfo {
            kind: head.document,
            name: head.name,
            relation,
            labels: checked.labels,
            protect: head.protect,
            skip_missing: head.skip_missing,
            moved_from: head.moved_from,
            place: head.place,
        });
        for desired in checked.desired {
            let kind = self.kinds.iter().find(|kind| kind.id() == desired.address.kind);
            match self.desired.get_mut(&desired.address) {
                Some(first) => {
                    let once = first.shared && desired.shared;
                    if !once && !kind.is_some_and(|kind| kind.unite(first, &desired)) {
                        self.found.push(twice_desired(&desired, first));
                    }
                }
                None => _ = self.desired.insert(desired.address.clone(), desired),
            }
        }
        true
    }

    /// What only all of them together can tell. Resources of a document with errors are left out:
    /// what is missing there would be reported as missing here.
    fn check(&mut self) {
        let whole = |desired: &&Desired| desired.on.as_ref().is_none_or(|relation| !self.broken.contains(relation));
        let mut of_kind: BTreeMap<&KindId, Vec<&Desired>> = BTreeMap::new();
        for desired in self.desired.values().filter(whole) {
            of_kind.entry(&desired.address.kind).or_default().push(desired);
        }
        for kind in self.kinds {
            let own = of_kind.remove(&kind.id()).unwrap_or_default();
            kind.check(&own, &self.desired, &mut self.found);
        }
    }

    fn digest(&self) -> Fingerprint {
        let mut hashes: Vec<&str> = self.files.iter().map(|file| file.sha256.as_str()).collect();
        hashes.sort_unstable();
        let used = self.used.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        Fingerprint::of_parts(hashes.into_iter().chain(["variables"]).chain(used))
    }
}

/// Whether a document makes no resource and speaks of other documents.
fn speaks_of_others(document: &Converted) -> bool {
    let kind = document.json.get("kind").and_then(serde_json::Value::as_str);
    kind.and_then(by_kind).is_some_and(Document::is_rule)
}

fn too_many(path: &str) -> Diagnostic {
    let message = format!("`{path}` has more errors than are shown");
    Diagnostic::error(&code::YAML_BUDGET, message).help("mend these first")
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

fn described_as_two(place: &Place, name: &str, kind: &str, first: &DocumentInfo) -> Diagnostic {
    let message = format!("`{name}` is described as `{}` and as `{kind}`", first.kind);
    Diagnostic::error(&code::DUPLICATE_DOCUMENT, message)
        .at(place)
        .label("again here")
        .and_at(&first.place, "first here")
        .why("a relation is one or the other")
        .help("put everything about it into the document that it is of")
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
