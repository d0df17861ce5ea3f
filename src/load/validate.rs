//! One document: its kind, its schema, its head and the resources that its sections make.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema::Validator;
use jsonschema::error::{ValidationError, ValidationErrorKind};
use serde_json::Value as Json;

use crate::core::name::{DEFAULT_SCHEMA, check_identifier};
use crate::core::{Desired, QualifiedName};
use crate::diag::{Diagnostic, code};
use crate::kinds::document::Document;
use crate::kinds::{Head, Section, SectionInput};
use crate::load::compose::{DocumentSchema, HEAD, Schemas};
use crate::load::explain::{Explainer, list};
use crate::load::nearest::nearest;
use crate::load::tree::Converted;

/// How many substituted scalars are tried in their other reading.
const MAX_READINGS: usize = 64;

/// How many findings of one document are put into words.
const MAX_EXPLAINED: usize = 200;

/// A document that was understood, though perhaps not without errors.
pub struct Checked {
    /// Its kind.
    pub document: &'static Document,
    /// What it says beside its sections; `None` where its name is none.
    pub head: Option<Head>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What its sections make.
    pub desired: Vec<Desired>,
}

/// Checks a document and expands its sections.
pub fn document(schema: &DocumentSchema, mut document: Converted, sink: &mut Vec<Diagnostic>) -> Checked {
    let (head, faults) = shape(schema, &mut document, sink);
    let mut sections = Sections { schema, document: &document, head: head.as_ref(), desired: Vec::new() };
    sections.expand(&document.json, &|pointer| !faults.within(pointer), sink);
    let desired = if head.is_some() { std::mem::take(&mut sections.desired) } else { Vec::new() };
    if let Some(validator) = schema.validator().filter(|_| !faults.is_empty()) {
        sections.expand_rest(validator, &faults, sink);
    }
    Checked { document: schema.document, labels: labels(&document.json), head, desired }
}

/// Checks a document that has no sections of its own; whether it satisfies its schema.
pub fn rule(schema: &DocumentSchema, document: &mut Converted, sink: &mut Vec<Diagnostic>) -> (Option<Head>, bool) {
    let (head, faults) = shape(schema, document, sink);
    let fine = head.is_some() && faults.is_empty();
    (head, fine)
}

/// What is wrong in sections by itself, whatever a document may add to them.
pub fn fragments(schema: &DocumentSchema, document: &Converted, sink: &mut Vec<Diagnostic>) {
    let mut sections = Sections { schema, document, head: None, desired: Vec::new() };
    let mut found = Vec::new();
    sections.expand(&document.json, &|_| true, &mut found);
    let own = |diagnostic: &Diagnostic| {
        [&code::BAD_INTERVAL, &code::BAD_NAME, &code::BAD_EXPRESSION].contains(&diagnostic.code)
    };
    sink.extend(found.into_iter().filter(own));
}

/// The document's head, and what in it does not satisfy its schema.
fn shape(schema: &DocumentSchema, document: &mut Converted, sink: &mut Vec<Diagnostic>) -> (Option<Head>, Faults) {
    let mut faults = Faults::unknown(document);
    if let Some(validator) = schema.validator()
        && !validator.is_valid(&document.json)
    {
        other_readings(validator, document);
        let title = title(schema.document.kind);
        let explainer = Explainer { schema: schema.schema(), document, title: &title };
        let before = sink.len();
        for error in validator.iter_errors(&document.json) {
            let path = error.instance_path().as_str();
            // What could not be known was reported where it is written.
            let known = document.unknown.iter().any(|pointer| is_within(path, pointer));
            if !known && sink.len() - before < MAX_EXPLAINED {
                explain(&explainer, &error, sink);
            }
            faults.add(&error);
        }
    }
    let head = head(schema.document, document, &faults, sink);
    (head, faults)
}

/// Everything in a document that does not satisfy its schema or is not known, by pointer, with the
/// keys that are unknown there.
#[derive(Default)]
struct Faults(BTreeMap<String, BTreeSet<String>>);

impl Faults {
    fn unknown(document: &Converted) -> Self {
        Self(document.unknown.iter().map(|pointer| (pointer.clone(), BTreeSet::new())).collect())
    }

    fn add(&mut self, error: &ValidationError<'_>) {
        let keys = self.0.entry(error.instance_path().as_str().to_owned()).or_default();
        if let ValidationErrorKind::AdditionalProperties { unexpected } = error.kind() {
            keys.extend(unexpected.iter().cloned());
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether anything is wrong at a pointer or below it.
    fn within(&self, pointer: &str) -> bool {
        let below = format!("{pointer}/");
        let next = self.0.range(below.clone()..).next();
        self.0.contains_key(pointer) || next.is_some_and(|(pointer, _)| pointer.starts_with(&below))
    }

    /// The document without what is wrong in it: unknown keys, and the entries that hold a fault.
    fn prune(&self, json: &Json) -> Json {
        let mut json = json.clone();
        for (pointer, keys) in &self.0 {
            if keys.is_empty() {
                prune_at(&mut json, pointer);
            } else if let Some(Json::Object(entries)) = json.pointer_mut(pointer) {
                entries.retain(|key, _| !keys.contains(key));
            }
        }
        json
    }
}

/// Takes out the innermost entry of a mapping that holds a pointer. Items of a list stay: the
/// places of those behind would shift.
fn prune_at(json: &mut Json, pointer: &str) {
    let mut pointer = pointer;
    while let Some((parent, last)) = pointer.rsplit_once('/') {
        if let Some(Json::Object(entries)) = json.pointer_mut(parent) {
            entries.shift_remove(&last.replace("~1", "/").replace("~0", "~"));
            return;
        }
        pointer = parent;
    }
}

fn title(kind: &str) -> String {
    let article = if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!("{article} `{kind}` document")
}

/// Two branches of one schema may find the same fault.
fn explain(explainer: &Explainer<'_>, error: &ValidationError<'_>, sink: &mut Vec<Diagnostic>) {
    let mut found = Vec::new();
    explainer.explain(error, &mut found);
    for diagnostic in found {
        if !sink.contains(&diagnostic) {
            sink.push(diagnostic);
        }
    }
}

/// Whether a pointer is another one or below it.
fn is_within(pointer: &str, outer: &str) -> bool {
    pointer.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The schema for a document's `kind:`. `None` where that is not known, which is said.
pub fn kind_of<'a>(
    schemas: &'a Schemas,
    document: &Converted,
    sink: &mut Vec<Diagnostic>,
) -> Option<&'a DocumentSchema> {
    let kinds = || list(schemas.iter().map(|schema| format!("`{}`", schema.document.kind)), "or");
    let Json::Object(entries) = &document.json else {
        sink.push(
            Diagnostic::error(&code::WRONG_TYPE, "a policy document is a mapping of keys to values")
                .at(document.places.document())
                .help(format!("begin it with `kind:` and `name:`; `kind` is {}", kinds())),
        );
        return None;
    };
    if document.unknown.iter().any(|pointer| pointer == "/kind") {
        return None;
    }
    let Some(kind) = entries.get("kind") else {
        let diagnostic = Diagnostic::error(&code::MISSING_KEY, "a policy document needs the key `kind`")
            .at(document.places.document())
            .help(format!("say what it describes: `kind` is {}", kinds()));
        let near = entries.keys().find(|key| nearest(key, ["kind"]).is_some());
        sink.push(match near {
            Some(key) => {
                let place = document.places.key(&crate::diag::source::segment(key));
                diagnostic.at(place).label("did you mean `kind`?")
            }
            None => diagnostic,
        });
        return None;
    };
    if let Some(schema) = kind.as_str().and_then(|kind| schemas.get(kind)) {
        return Some(schema);
    }
    let known: Vec<&str> = schemas.iter().map(|schema| schema.document.kind).collect();
    let shown = kind.as_str();
    let message = match shown {
        Some(shown) => format!("`{shown}` is no kind of document"),
        None => "`kind` takes the name of a kind of document".to_owned(),
    };
    let diagnostic = Diagnostic::error(&code::UNKNOWN_KIND, message)
        .at(document.places.value("/kind"))
        .help(format!("`kind` is {}", kinds()));
    let made = |schema: &&DocumentSchema| !schema.document.is_rule();
    let home = shown.and_then(|shown| schemas.iter().filter(made).find(|schema| schema.has_key(shown)));
    sink.push(match (shown.and_then(|shown| nearest(shown, known)), home) {
        (Some(near), _) => diagnostic.label(format!("did you mean `{near}`?")),
        (None, Some(home)) => diagnostic.label(format!("this is a key of {}", title(home.document.kind))),
        (None, None) => diagnostic,
    });
    None
}

/// Lets a scalar that is one substituted value be text where the schema wants text and a number
/// where it wants a number, whichever way it was read first.
fn other_readings(validator: &Validator, document: &mut Converted) {
    if document.other.is_empty() {
        return;
    }
    let faults = |json: &Json| validator.iter_errors(json).map(|e| e.instance_path().as_str().to_owned()).collect();
    let mut before: Vec<String> = faults(&document.json);
    for (pointer, other) in document.other.iter().take(MAX_READINGS) {
        if !before.iter().any(|path| is_within(pointer, path)) {
            continue;
        }
        let Some(value) = document.json.pointer_mut(pointer) else { continue };
        let first = std::mem::replace(value, other.clone());
        let after: Vec<String> = faults(&document.json);
        if after.len() < before.len() {
            before = after;
        } else if let Some(value) = document.json.pointer_mut(pointer) {
            *value = first;
        }
    }
}

/// What the document says beside its sections.
fn head(
    document: &'static Document,
    converted: &Converted,
    faults: &Faults,
    sink: &mut Vec<Diagnostic>,
) -> Option<Head> {
    let text = |key: &str| converted.json.get(key).and_then(Json::as_str);
    let name = text("name").filter(|_| !faults.0.contains_key("/name"))?;
    let relation = if document.relation {
        QualifiedName::parse(name)
    } else {
        check_identifier(name).map(|()| QualifiedName::new(DEFAULT_SCHEMA, name))
    };
    match relation {
        Ok(relation) => {
            let moved_from = moved_from(document, converted, &relation, sink);
            Some(Head { moved_from, ..head_of(document, converted, name, relation) })
        }
        Err(error) => {
            let message = format!("this is no name: {error}");
            sink.push(Diagnostic::error(&code::BAD_NAME, message).at(converted.places.value("/name")));
            None
        }
    }
}

fn head_of(document: &'static Document, converted: &Converted, name: &str, relation: QualifiedName) -> Head {
    Head {
        document: document.kind,
        name: name.to_owned(),
        relation,
        protect: converted.json.get("protect").and_then(Json::as_bool).unwrap_or_default(),
        skip_missing: converted.json.get("when_missing").and_then(Json::as_str) == Some("skip"),
        moved_from: None,
        place: converted.places.document().clone(),
    }
}

/// What the relation was called before, where the document says so.
fn moved_from(
    document: &Document,
    converted: &Converted,
    relation: &QualifiedName,
    sink: &mut Vec<Diagnostic>,
) -> Option<QualifiedName> {
    const AT: &str = "/moved/from";
    let from = converted.json.pointer(AT).and_then(Json::as_str).filter(|_| document.can_move())?;
    let mut bad = |message: String| {
        sink.push(Diagnostic::error(&code::BAD_NAME, message).at(converted.places.value(AT)));
        None
    };
    match QualifiedName::parse(from) {
        Ok(from) if from == *relation => bad(format!("{from} is what the table is called now")),
        Ok(from) => Some(from),
        Err(error) => bad(format!("this is no name: {error}")),
    }
}

fn labels(json: &Json) -> BTreeMap<String, String> {
    let labels = json.get("labels").and_then(Json::as_object).into_iter().flatten();
    labels.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// The sections of a document.
struct Sections<'a> {
    schema: &'a DocumentSchema,
    document: &'a Converted,
    /// Without a head they are only read for their faults.
    head: Option<&'a Head>,
    desired: Vec<Desired>,
}

impl Sections<'_> {
    /// Reads the sections, and the items of sections, whose pointers are wanted.
    fn expand(&mut self, json: &Json, wanted: &dyn Fn(&str) -> bool, sink: &mut Vec<Diagnostic>) {
        for section in &self.schema.sections {
            if section.key.is_empty() {
                self.one(section, &self.own(json), "", wanted, sink);
                continue;
            }
            let Some(value) = json.get(section.key) else { continue };
            let pointer = format!("/{}", section.key);
            match value {
                Json::Array(items) if section.repeated => {
                    for (at, item) in items.iter().enumerate() {
                        self.one(section, item, &format!("{pointer}/{at}"), wanted, sink);
                    }
                }
                _ if section.repeated => {}
                value => self.one(section, value, &pointer, wanted, sink),
            }
        }
    }

    /// The document as a section that is all of it reads it: without its head and its other sections.
    fn own(&self, json: &Json) -> Json {
        let entries = json.as_object().into_iter().flatten();
        let others = |key: &str| self.schema.sections.iter().any(|section| section.key == key);
        let own = |key: &String| self.schema.own_keys().contains(key) || !(HEAD.contains(&key.as_str()) || others(key));
        Json::Object(entries.filter(|(key, _)| own(key)).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    fn one(
        &mut self,
        section: &Section,
        value: &Json,
        pointer: &str,
        wanted: &dyn Fn(&str) -> bool,
        sink: &mut Vec<Diagnostic>,
    ) {
        // What is a whole document is nothing without its name.
        let whole = section.key.is_empty() && self.head.is_none();
        if wanted(pointer) && !whole {
            let document = self.schema.document;
            let nameless = || head_of(document, self.document, "", QualifiedName::new(DEFAULT_SCHEMA, "unnamed"));
            let head = self.head.cloned().unwrap_or_else(nameless);
            let input = SectionInput { head: &head, value, places: &self.document.places, pointer };
            self.desired.extend((section.expand)(&input, sink));
        }
    }

    /// Reads what is left of sections that have faults, for what else is wrong in them. What they
    /// lack or contradict then is the doing of what was left out.
    fn expand_rest(&mut self, validator: &Validator, faults: &Faults, sink: &mut Vec<Diagnostic>) {
        let rest = faults.prune(&self.document.json);
        let mut still = Faults::default();
        validator.iter_errors(&rest).for_each(|error| still.add(&error));
        let mut found = Vec::new();
        self.expand(&rest, &|pointer| faults.within(pointer) && !still.within(pointer), &mut found);
        let own = |diagnostic: &Diagnostic| ![&code::MISSING_KEY, &code::POLICY_CONFLICT].contains(&diagnostic.code);
        sink.extend(found.into_iter().filter(own));
    }
}
